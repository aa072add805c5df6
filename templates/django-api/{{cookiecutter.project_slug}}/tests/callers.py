"""Who calls the API in tests, without a server."""

import json
import uuid
from datetime import timedelta
from typing import Any

from django.test import Client

from accounts.tokens import issue


class Caller:
    """Somebody with a token, or without."""

    def __init__(self, subject: str | None, scopes: str = "", token: str = "") -> None:
        self.subject = subject
        token = token or (issue(subject, scopes=scopes, lasts=timedelta(hours=1)) if subject else "")
        self.client = Client(headers={"authorization": f"Bearer {token}"} if token else {})
        self.client.raise_request_exception = False

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The answer; `If_Match="*"` is a header. A POST has a new Idempotency-Key when none is given."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        sent = {name: value for name, value in sent.items() if value}
        if body is None:
            return self.client.generic(method, f"/api/v1/{path}", headers=sent)
        return self.client.generic(method, f"/api/v1/{path}", json.dumps(body), "application/json", headers=sent)

    def gets(self, path: str, **headers: str) -> Any:
        """What an address gives, which must be there."""
        answer = self.ask("GET", path, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def product(self, on_hand: int = 0, sku: str = "") -> int:
        """The id of a new product of which there are so many."""
        answer = self.ask("POST", "products", {"sku": sku or f"T-{uuid.uuid4().hex.upper()}", "name": "Green tea"})
        assert answer.status_code == 201, answer.content
        found: int = answer.json()["id"]
        if on_hand:
            assert self.moves(found, "receive", on_hand).status_code == 201
        return found

    def moves(self, product: int, kind: str, quantity: int, **headers: str) -> Any:
        return self.ask("POST", f"products/{product}/movements", {"kind": kind, "quantity": quantity}, **headers)

    def holds(self, product: int, quantity: int = 1, expires_in: int = 900, **headers: str) -> Any:
        body = {"product_id": product, "quantity": quantity, "expires_in": expires_in}
        return self.ask("POST", "reservations", body, **headers)
