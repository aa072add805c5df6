"""A client of the service that looks at every answer: whatever a test asks, what holds for all answers is checked."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2

from .contract import ALLOWANCE, POLICY, Contract, Operation

Json = dict[str, Any]
# The answers that tell a caller who is known what is left of his allowance.
TELLING = {200, 201, 202, 204, 304, 403, 409, 412, 428, 429}


class Caller:
    """Somebody with a token."""

    def __init__(self, url: str, contract: Contract, token: str | None) -> None:
        self.contract = contract
        self.known = token is not None
        self.patient = False  # comes again on 503: only where the server has said that it has one writer
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Of thirty at once each has a connection of its own. None of the machine's proxies.
        limits = httpx2.Limits(max_connections=50, max_keepalive_connections=50)
        self.http = httpx2.Client(base_url=url, headers=headers, limits=limits, timeout=30, trust_env=False)

    def ask(self, name: str, **how: Any) -> httpx2.Response:
        """The answer to an operation, checked against the contract, whatever its status.

        How: `query`, `headers`, `json` or the bytes of a body (`content`), and the ids in the address by their names.

        Sends a new Idempotency-Key where one is demanded and none is given; a header that is "" is left out.
        """
        operation = self.contract.operations[name]
        sent = {"Idempotency-Key": str(uuid.uuid4())} if operation.demands("Idempotency-Key") else {}
        if "content" in how:
            sent["Content-Type"] = "application/json"
        sent |= how.get("headers", {})
        for _ in range(10):
            response = self.http.request(
                operation.method,
                operation.path.format_map(how),
                params=how.get("query"),
                headers={key: value for key, value in sent.items() if value},
                json=how.get("json"),
                content=how.get("content"),
            )
            if response.status_code != 503 or not self.patient:
                break
            time.sleep(1)
        self.check(operation, response)
        return response

    def check(self, operation: Operation, response: httpx2.Response) -> None:
        """Fail unless the answer is what the contract says of this operation, and of all answers."""
        self.contract.check(operation, response)
        look_at(response)
        if self.known and response.status_code in TELLING:
            policy, allowance = response.headers.get("RateLimit-Policy", ""), response.headers.get("RateLimit", "")
            assert POLICY.fullmatch(policy), f"RateLimit-Policy is {policy!r}"
            assert ALLOWANCE.fullmatch(allowance), f"RateLimit is {allowance!r}"

    def gets(self, name: str, status: int = 200, **how: Any) -> httpx2.Response:
        """The answer, which must have this status."""
        response = self.ask(name, **how)
        assert response.status_code == status, f"{name} gave {response.status_code}: {response.text[:300]}"
        return response

    def reads(self, name: str, status: int = 200, **how: Any) -> Json:
        """The body of the answer."""
        body: Json = self.gets(name, status, **how).json()
        return body

    def refused(self, name: str, kind: str, *, at: str = "", **how: Any) -> httpx2.Response:
        """The answer, which must be this problem; `at` is the pointer or the parameter that it must name."""
        response = self.ask(name, **how)
        self.is_problem(response, kind, at=at)
        return response

    def is_problem(self, response: httpx2.Response, kind: str, *, at: str = "") -> None:
        """Fail unless it is this problem, with the status that the contract's table has for it."""
        assert response.status_code == self.contract.problems[kind], f"{response.status_code}: {response.text[:300]}"
        problem = response.json()
        assert problem["type"] == f"/problems/{kind}", problem
        if at:
            places = {each.get("pointer", each.get("parameter")) for each in problem.get("errors", [])}
            assert places == {at}, f"{at} is not what it names: {problem}"

    # What tests need again and again.

    def product(self, on_hand: int = 0) -> Json:
        """A new product, of which so many have come in."""
        product = self.reads("createProduct", 201, json={"sku": sku(), "name": "Green tea, 100 g"})
        if on_hand:
            self.moves(product["id"], "receive", on_hand)
            product = self.stock(product["id"])
        return product

    def stock(self, product_id: int) -> Json:
        """The product as it is now."""
        return self.reads("readProduct", product_id=product_id)

    def tag(self, product_id: int) -> str:
        """The product's ETag."""
        return str(self.gets("readProduct", product_id=product_id).headers["ETag"])

    def moves(self, product_id: int, kind: str, quantity: int) -> Json:
        """A movement."""
        return self.reads("moveStock", 201, product_id=product_id, json={"kind": kind, "quantity": quantity})

    def holds(self, product_id: int, quantity: int = 1, expires_in: int = 900) -> Json:
        """A reservation."""
        body = {"product_id": product_id, "quantity": quantity, "expires_in": expires_in}
        return self.reads("holdStock", 201, json=body)

    def everything(self, name: str, **how: Any) -> list[Json]:
        """All items of a list, page after page."""
        items: list[Json] = []
        query: Json = {"limit": 100}
        while True:
            page = self.reads(name, **how | {"query": query})
            items += page["items"]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]


def look_at(response: httpx2.Response) -> None:
    """Fail unless it has what every answer has, a problem its form, and a page or a thing that was read its ETag."""
    assert response.headers.get("X-Request-ID"), f"There is no X-Request-ID in {response.headers}"
    if response.status_code >= 400 and response.request.method != "HEAD":
        assert response.headers["Content-Type"].startswith("application/problem+json"), response.text[:300]
        assert response.json()["status"] == response.status_code
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    if response.status_code in (429, 503):
        assert int(response.headers["Retry-After"]) >= 0


def sku() -> str:
    """One that nothing has."""
    return f"T-{uuid.uuid4().hex.upper()}"


def together[Answer](*errands: Callable[[], Answer]) -> list[Answer]:
    """What each gives, all begun at the same moment, each in a thread of its own."""
    gate = threading.Barrier(len(errands))

    def run(errand: Callable[[], Answer]) -> Answer:
        gate.wait()
        return errand()

    with ThreadPoolExecutor(len(errands)) as threads:
        return list(threads.map(run, errands))
