"""Stands before a server and hands on what is asked and what is answered, as a mutant would have it."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Json = Any
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Json:
        """The body; {} where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return {}

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")

    @property
    def who(self) -> str:
        return self.headers.get("authorization", "")

    def having(self, **headers: str | None) -> "Request":
        """The same with other headers; with None, without."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in (self.headers | named).items() if value is not None}
        return replace(self, headers=kept)

    def asking(self, query: dict[str, str]) -> "Request":
        """The same with another query."""
        return replace(self, target=f"{self.path}?{urlencode(query)}" if query else self.path)

    def saying(self, body: Json) -> "Request":
        """The same with another body."""
        return replace(self, body=json.dumps(body).encode())


@dataclass(frozen=True)
class Response:
    """What a server answered."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Json:
        """The body; {} where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @property
    def kind(self) -> str:
        """The last part of a problem's type."""
        body = self.json
        return str(body.get("type", "")).rpartition("/")[2] if isinstance(body, dict) else ""

    def having(self, **headers: str | None) -> "Response":
        """The same with other headers; with None, without."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in (self.headers | named).items() if value is not None}
        return replace(self, headers=kept)

    def saying(self, body: Json, status: int = 0) -> "Response":
        """The same with another body, and perhaps another status."""
        return replace(self, status=status or self.status, body=json.dumps(body).encode())

    def problem(self, status: int, kind: str) -> "Response":
        """This instead."""
        body = {"type": f"/problems/{kind}", "title": kind, "status": status}
        return self.having(content_type="application/problem+json").saying(body, status)

    def success(self, status: int, body: Json) -> "Response":
        """This instead."""
        headers = {"content_type": "application/json", "etag": '"forged"', "location": "/api/v1/products/1"}
        return self.having(**headers).saying(body, status)


type Forward = Callable[[Request], Response]


@dataclass
class World:
    """What a mutant knows: the server that it stands before, and what it remembers."""

    server: dict[str, Any]
    lock: threading.RLock = field(default_factory=threading.RLock)
    memory: dict[Any, Any] = field(default_factory=dict)

    def token(self, name: str) -> str:
        return f"Bearer {self.server['tokens'][name]}"


type Mutant = Callable[[Request, Forward, World], Response]


def forward(url: str) -> Forward:
    """Hands a request on to a server, by a connection for each thread."""
    local = threading.local()
    address = urlsplit(url)

    def ask(request: Request) -> Response:
        for again in (True, False):
            connection = getattr(local, "connection", None)
            if connection is None:
                connection = local.connection = http.client.HTTPConnection(address.netloc, timeout=60)
            try:
                connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers.items():
                    if name not in HOP:
                        connection.putheader(name, value.encode("latin-1"))
                if request.body or request.method in ("POST", "PUT", "PATCH"):
                    connection.putheader("content-length", str(len(request.body)))
                connection.endheaders(request.body or None)
                answer = connection.getresponse()
                body = answer.read()
                headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in HOP}
                if answer.will_close:
                    connection.close()
                    local.connection = None
                return Response(answer.status, headers, body)
            except (http.client.HTTPException, OSError):
                # A connection that was kept too long, or a body that nobody wanted to hear to its end.
                connection.close()
                local.connection = None
                if not again:
                    raise
        raise AssertionError

    return ask


def stand_before(url: str, mutant: Mutant, world: World) -> ThreadingHTTPServer:
    """A server on a free port that answers as the one at `url` would, if it were the mutant."""
    ask = forward(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_said: object) -> None:
            pass

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def answer(self) -> None:
            if world.memory.get("one at a time"):
                with world.lock:
                    self.hand_on()
            else:
                self.hand_on()

        def hand_on(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.heard())
            response = mutant(request, ask, world)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if response.status not in (204, 304):
                self.send_header("content-length", str(len(response.body)))
            self._headers_buffer.append(b"\r\n" + (response.body if self.command != "HEAD" else b""))
            self.flush_headers()

        def heard(self) -> bytes:
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            body = b""
            while length := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

    server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 128})(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_about: None  # clients that hang up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
