"""A third server, in memory, written from core.yaml and the suite alone: the least that keeps the contract.

It shows that the contract says enough, and it is what the mutants are tried on: what they break is broken in a server
that is right.

    python proofs/contract/reference.py        prints what the suite wants in CONTRACT_SERVER, and serves
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import jsonschema_rs
import jwt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "contracts" / "stock"))

from suite import contract  # noqa: E402  the path comes first

Json = dict[str, Any]
SECRET = uuid.uuid4().hex * 2
MOST = 65536
CORE = contract.core()


class Problem(Exception):  # noqa: N818  the standard's own word
    """What is answered instead."""

    def __init__(self, kind: str, errors: list[Json] | None = None, **headers: str) -> None:
        super().__init__(kind)
        self.status = CORE.problems[kind]
        self.body = {"type": f"/problems/{kind}", "title": kind.replace("-", " ").capitalize(), "status": self.status}
        self.body |= {"errors": errors} if errors else {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def invalid(**where: str) -> Problem:
    return Problem("invalid", [where | {"detail": "This is not allowed."}])


def now() -> datetime:
    return datetime.now(UTC)


def said(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


class Stock:
    """Everything there is, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.products: dict[int, Json] = {}
        self.movements: dict[int, Json] = {}
        self.reservations: dict[int, Json] = {}
        self.stored: dict[tuple[str, str], tuple[str, Any]] = {}
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last

    def product(self, identity: int) -> Json:
        """As it is shown."""
        if identity not in self.products:
            raise Problem("not-found")
        product = self.products[identity]
        held = [each for each in self.reservations.values() if each["product_id"] == identity]
        reserved = sum(each["quantity"] for each in held if self.state(each) == "held")
        kept = {name: product[name] for name in ("id", "sku", "name", "on_hand")}
        kept |= {"reserved": reserved, "available": product["on_hand"] - reserved}
        return kept | {name: said(product[name]) for name in ("created_at", "updated_at")}

    @staticmethod
    def state(reservation: Json) -> str:
        over = reservation["state"] == "held" and reservation["expires_at"] <= now()
        return "expired" if over else str(reservation["state"])

    def reservation(self, identity: int, caller: str) -> Json:
        """As it is shown."""
        found = self.reservations.get(identity)
        if not found or found["holder"] != caller:
            raise Problem("not-found")
        kept = {name: found[name] for name in ("id", "product_id", "quantity")}
        return kept | {
            "state": self.state(found),
            "expires_at": said(found["expires_at"]),
            "created_at": said(found["created_at"]),
        }

    def move(self, product: int, kind: str, change: int, note: str = "", reservation: int | None = None) -> Json:
        self.products[product]["on_hand"] += change
        movement = {"id": self.next(), "product_id": product, "reservation_id": reservation, "kind": kind, "note": note}
        movement |= {"change": change, "on_hand": self.products[product]["on_hand"], "created_at": said(now())}
        self.movements[movement["id"]] = movement
        return movement


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    stock: Stock
    quota: int
    counts: dict[tuple[str, int], int]
    raw: bytes | None

    def log_message(self, *_said: object) -> None:
        pass

    def answer(self) -> None:
        """Any request."""
        self.raw = None
        self.extra: dict[str, str] = {}
        try:
            status, body, headers = self.respond()
        except Problem as problem:
            status, headers = problem.status, problem.headers
            body = json.dumps(problem.body).encode()
        except Exception:  # the contract has a form for it, too
            status, headers = 500, {}
            body = json.dumps(Problem("internal-server-error").body).encode()
        if self.raw is None:
            self.close_connection = True  # what is still to come is nobody's
            self.extra["Connection"] = "close"
        self.send_response(status)
        headers = {"X-Request-ID": uuid.uuid4().hex} | self.extra | headers
        if body:
            headers["Content-Type"] = "application/problem+json" if status >= 400 else "application/json"
        if status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(
            b"\r\n" + (body if self.command != "HEAD" else b"")
        )  # one write, or the client waits
        self.flush_headers()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # of any method, the ones that nobody knows included
            return self.answer
        raise AttributeError(name)

    def route(self) -> tuple[str, dict[str, int]]:
        """The name of the operation, and the ids in the address."""
        try:
            path = unquote_to_bytes(urlsplit(self.path).path).decode()
        except UnicodeDecodeError:
            raise Problem("not-found") from None
        allowed = {}
        for name, operation in CORE.operations.items():
            pattern = re.sub(r"{(\w+)}", r"(?P<\1>[1-9][0-9]{0,18})", operation.path)
            if found := re.fullmatch(pattern, path, re.ASCII):
                allowed[operation.method] = name, {key: int(value) for key, value in found.groupdict().items()}
        method = "GET" if self.command == "HEAD" else self.command
        if not allowed or any(value >= 2**63 for _, ids in allowed.values() for value in ids.values()):
            raise Problem("not-found")
        if method not in allowed:
            raise Problem("method-not-allowed", Allow=", ".join(sorted(allowed)))
        return allowed[method]

    def caller(self, scope: str) -> str:
        """Who asks, if he may."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        try:
            assert scheme.lower() == "bearer"
            claims = jwt.decode(token, SECRET, ["HS256"], options={"require": ["exp", "sub", "scope"]})
        except (AssertionError, jwt.InvalidTokenError, UnicodeError):
            raise Problem("unauthorized", WWW_Authenticate='Bearer error="invalid_token"') from None
        self.allowance(claims["sub"])
        if scope not in claims["scope"].split():
            raise Problem("forbidden", WWW_Authenticate=f'Bearer error="insufficient_scope", scope="{scope}"')
        return str(claims["sub"])

    def allowance(self, caller: str) -> None:
        window = int(time.time()) // 60
        with self.stock.lock:
            used = self.counts[caller, window] = self.counts.get((caller, window), 0) + 1
        wait = 60 - int(time.time()) % 60
        self.extra["RateLimit-Policy"] = f'"default";q={self.quota};w=60'
        self.extra["RateLimit"] = f'"default";r={max(0, self.quota - used)};t={wait}'
        if used > self.quota:
            raise Problem("too-many-requests", Retry_After=str(wait))

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length", 0))
            if length > MOST:
                raise Problem("content-too-large")
            return self.rfile.read(length)
        body = b""
        while length := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(length)
            self.rfile.readline()
            if len(body) > MOST:
                raise Problem("content-too-large")
        self.rfile.readline()
        return body

    def wanted(self, operation: contract.Operation) -> Any:  # noqa: ANN401  any JSON
        """The body, as JSON of its schema."""
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem("unsupported-media-type")
        self.raw = self.body()

        def never(name: str) -> None:
            raise ValueError(name)

        try:
            value = json.loads(self.raw.decode(), parse_constant=never)
        except (ValueError, RecursionError):
            raise Problem("malformed") from None
        schema = operation.facts["requestBody"]["content"]["application/json"]["schema"]
        facts = CORE.resolved(schema)
        errors = []
        if isinstance(value, dict):
            names = {*(value.keys() - facts["properties"]), *({*facts.get("required", [])} - value.keys())}
            errors = ["#/" + name.replace("~", "~0").replace("/", "~1") for name in names]
        try:
            text = json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise invalid(pointer="#/name") from None
        except RecursionError:
            raise Problem("malformed") from None
        if not errors:
            validator = jsonschema_rs.Draft202012Validator(schema | {"components": CORE.document["components"]})
            try:
                found = [*validator.iter_errors(json.loads(text))]
            except (RecursionError, ValueError):
                raise Problem("malformed") from None  # too deep
            errors = ["#" + "".join(f"/{part}" for part in each.instance_path) for each in found]
        if errors:
            raise Problem("invalid", [{"pointer": each, "detail": "Not allowed."} for each in sorted({*errors})])
        return value

    def parameters(self, operation: contract.Operation) -> dict[str, str]:
        known = {each["name"] for each in operation.facts["parameters"] if each["in"] == "query"}
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        for name in given.keys() - known:
            raise invalid(parameter=name)
        return given

    def respond(self) -> tuple[int, bytes, dict[str, str]]:
        name, ids = self.route()
        operation = CORE.operations[name]
        caller = self.caller(operation.scope)
        accepted = [each.partition(";")[0].strip() for each in self.headers.get("Accept", "*/*").split(",")]
        if not {"*/*", "application/*", "application/json", ""} & {*accepted}:
            raise Problem("not-acceptable")
        query = self.parameters(operation)
        key = self.headers.get("Idempotency-Key", "")
        if operation.demands("Idempotency-Key") and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
            raise Problem("idempotency-key-missing")
        value = self.wanted(operation) if operation.has_body else None
        self.raw = self.raw if operation.has_body else self.body()
        do: Callable[..., Any] = getattr(self, name)
        with self.stock.lock:
            if operation.method == "GET":
                body = json.dumps(do(caller, query, **ids)).encode()
                tag = etag(body)
                if matches(self.headers.get("If-None-Match", ""), tag, weakly=True):
                    return 304, b"", {"ETag": tag}
                return 200, body, {"ETag": tag}
            if not operation.demands("Idempotency-Key"):
                return do(caller, value, **ids)
            asked = json.dumps([self.command, operation.path, ids, value], sort_keys=True)
            known, answer = self.stock.stored.get((caller, key), (asked, None))
            if known != asked:
                raise Problem("idempotency-key-reused")
            if answer is None:
                answer = do(caller, value, **ids)
                self.stock.stored[caller, key] = asked, answer
            return answer

    # The operations, by the names that the contract has for them.

    def page(self, kind: str, rows: list[Json], query: dict[str, str]) -> Json:
        """`rows`, newest first."""
        limit = query.get("limit", "50")
        if not re.fullmatch("[0-9]{1,3}", limit, re.ASCII) or not 1 <= int(limit) <= 100:
            raise invalid(parameter="limit")
        before = 2**63
        if "cursor" in query:
            try:
                text = base64.urlsafe_b64decode(query["cursor"] + "=" * (-len(query["cursor"]) % 4)).decode()
                before = int(text.removeprefix(f"{kind} "))
                assert text.startswith(f"{kind} ")
            except (ValueError, AssertionError, binascii.Error):
                raise Problem("invalid-cursor") from None
        found = [each for each in rows[::-1] if each["id"] < before]
        shown = found[: int(limit)]
        more = len(found) > len(shown)
        last = base64.urlsafe_b64encode(f"{kind} {shown[-1]['id']}".encode()).decode().rstrip("=") if more else None
        return {"items": shown, "next": last}

    def listProducts(self, _caller: str, query: dict[str, str]) -> Json:
        return self.page("p", [self.stock.product(each) for each in self.stock.products], query)

    def readProduct(self, _caller: str, _query: object, product_id: int) -> Json:
        return self.stock.product(product_id)

    def listMovements(self, _caller: str, query: dict[str, str], product_id: int) -> Json:
        self.stock.product(product_id)
        rows = [each for each in self.stock.movements.values() if each["product_id"] == product_id]
        return self.page(f"m{product_id}", rows, query)

    def listReservations(self, caller: str, query: dict[str, str]) -> Json:
        mine = [each for each, found in self.stock.reservations.items() if found["holder"] == caller]
        return self.page("r", [self.stock.reservation(each, caller) for each in mine], query)

    def readReservation(self, caller: str, _query: object, reservation_id: int) -> Json:
        return self.stock.reservation(reservation_id, caller)

    def free(self, sku: str, but: int = 0) -> None:
        if any(each["sku"] == sku and each["id"] != but for each in self.stock.products.values()):
            raise Problem("sku-taken")

    def createProduct(self, _caller: str, value: Json) -> tuple[int, bytes, dict[str, str]]:
        self.free(value["sku"])
        identity, instant = self.stock.next(), now()
        self.stock.products[identity] = value | {
            "id": identity,
            "on_hand": 0,
            "created_at": instant,
            "updated_at": instant,
        }
        body = json.dumps(self.stock.product(identity)).encode()
        return 201, body, {"ETag": etag(body), "Location": f"/api/v1/products/{identity}"}

    def seen(self, product_id: int) -> None:
        tag = etag(json.dumps(self.stock.product(product_id)).encode())
        if "If-Match" not in self.headers:
            raise Problem("precondition-required")
        if not matches(self.headers["If-Match"], tag, weakly=False):
            raise Problem("precondition-failed")

    def changeProduct(self, _caller: str, value: Json, product_id: int) -> tuple[int, bytes, dict[str, str]]:
        self.seen(product_id)
        self.free(value.get("sku", ""), product_id)
        self.stock.products[product_id] |= value | {"updated_at": now()}
        body = json.dumps(self.stock.product(product_id)).encode()
        return 200, body, {"ETag": etag(body)}

    def deleteProduct(self, _caller: str, _value: None, product_id: int) -> tuple[int, bytes, dict[str, str]]:
        self.seen(product_id)
        of = [*self.stock.movements.values(), *self.stock.reservations.values()]
        if any(each["product_id"] == product_id for each in of):
            raise Problem("product-in-use")
        del self.stock.products[product_id]
        return 204, b"", {}

    def moveStock(self, _caller: str, value: Json, product_id: int) -> tuple[int, bytes, dict[str, str]]:
        product = self.stock.product(product_id)
        change = value["quantity"]
        if change == 0 or (change < 0 and value["kind"] != "correct"):
            raise invalid(pointer="#/quantity")
        change = -change if value["kind"] == "issue" else change
        if change < -product["available"]:
            raise Problem("not-enough-stock")
        movement = self.stock.move(product_id, value["kind"], change, value.get("note", ""))
        return 201, json.dumps(movement).encode(), {}

    def holdStock(self, caller: str, value: Json) -> tuple[int, bytes, dict[str, str]]:
        if value["product_id"] not in self.stock.products:
            raise invalid(pointer="#/product_id")
        if value["quantity"] > self.stock.product(value["product_id"])["available"]:
            raise Problem("not-enough-stock")
        identity, instant = self.stock.next(), now()
        kept = {"id": identity, "product_id": value["product_id"], "quantity": value["quantity"], "state": "held"}
        kept |= {"expires_at": instant + timedelta(seconds=value.get("expires_in", 900)), "created_at": instant}
        self.stock.reservations[identity] = kept | {"holder": caller}
        body = json.dumps(self.stock.reservation(identity, caller)).encode()
        return 201, body, {"ETag": etag(body), "Location": f"/api/v1/reservations/{identity}"}

    def end(self, caller: str, identity: int, state: str) -> tuple[int, bytes, dict[str, str]]:
        if self.stock.reservation(identity, caller)["state"] != "held":
            raise Problem("reservation-closed")
        found = self.stock.reservations[identity]
        found["state"] = state
        if state == "confirmed":
            self.stock.move(found["product_id"], "issue", -found["quantity"], reservation=identity)
        body = json.dumps(self.stock.reservation(identity, caller)).encode()
        return 200, body, {"ETag": etag(body)}

    def confirmReservation(self, caller: str, _value: None, reservation_id: int) -> tuple[int, bytes, dict[str, str]]:
        return self.end(caller, reservation_id, "confirmed")

    def cancelReservation(self, caller: str, _value: None, reservation_id: int) -> tuple[int, bytes, dict[str, str]]:
        return self.end(caller, reservation_id, "cancelled")


def etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def matches(header: str, tag: str, *, weakly: bool) -> bool:
    """Whether a list of ETags has this one (RFC 9110, sections 8.8.3.2, 13.1)."""
    listed = re.findall(r'(W/)?("[^"]*")', header)
    return header.strip() == "*" or any(value == tag and (weakly or not weak) for weak, value in listed)


def token(subject: str, scope: str, seconds: int = 86400) -> str:
    return jwt.encode({"sub": subject, "scope": scope, "exp": int(time.time()) + seconds}, SECRET, "HS256")


def serve(quota: int, stock: Stock) -> ThreadingHTTPServer:
    """A server on a free port, in a thread."""
    handler = type("Bound", (Handler,), {"stock": stock, "quota": quota, "counts": {}})
    server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 128})(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    stock = Stock()
    servers = [serve(quota, stock) for quota in (1_000_000, 20)]
    url, limited = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    both = "stock:read stock:write"
    tokens = {"writer": token("writer", both), "other": token("other", both), "reader": token("reader", "stock:read")}
    tokens |= {"nobody": token("nobody", ""), "expired": token("writer", both, -60)}
    print(json.dumps({"url": url, "limited_url": limited, "tokens": tokens}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
