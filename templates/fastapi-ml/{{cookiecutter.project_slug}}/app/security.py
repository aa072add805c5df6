"""What the server does for everybody's safety: hosts, proxies, HTTPS, headers, and no orders from other sites."""

import json
from http import HTTPStatus

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.health import Probes
from app.logging import RequestLog
from app.problems import Problem
from app.settings import Settings

LONGEST_BODY = 64 * 1024  # bytes; nothing that people type into this application is longer
LONGEST_INFERENCE = 16 * 1024 * 1024  # of a request for predictions, before and after it is unpacked
LONGEST_CARD = 1024 * 1024
LONGEST_FILE = 512 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HSTS = "max-age=31536000; includeSubDomains"
HEADERS = {
    # Everything comes from our own files; nothing is inline, nothing may frame us.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class CrossSiteRequest(Problem):
    """Another site may not do this in your name."""

    status = 403


def install(app: FastAPI, settings: Settings) -> None:
    """Wrap the application. The last one added is the first one asked, so read from the bottom."""
    app.add_middleware(BodyLimit)
    app.add_middleware(SameOrigin)
    if settings.production:
        app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))


class Application(FastAPI):
    """FastAPI, with what every answer is to have outside of what answers the errors that nobody foresaw."""

    def build_middleware_stack(self) -> ASGIApp:
        return Probes(RequestLog(SecurityHeaders(ProtocolErrors(super().build_middleware_stack()))))


class SecurityHeaders:
    """Puts the headers on every answer; HSTS on those that went over HTTPS, as RFC 6797 section 7.2 demands."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                headers.raw.extend(RAW_HEADERS)
                # Files are asked for again, cheaply, by their ETag: a deploy must not mix old modules with new ones.
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
                if scope["scheme"] in ("https", "wss"):
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        await self.app(scope, receive, add if scope["type"] != "lifespan" else send)


class BodyLimit:
    """Refuses a body that is too long, whether or not its length was told before.

    Not the framework's own `max_body_size`: that answers in plain text, without the headers above.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        longest = longest_body(scope)
        told = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else "0"
        size = int(told) if told.isdecimal() and int(told) > longest else 0

        async def count() -> Message:
            nonlocal size
            message: Message = await receive() if size <= longest else {}
            size += len(message.get("body", b""))
            if size > longest:
                raise HTTPException(413, f"Send at most {longest} bytes.")
            return message

        await self.app(scope, count if scope["type"] == "http" else receive, send)


def longest_body(scope: Scope) -> int:
    """How many bytes a body may have, by where it is sent to."""
    path = scope.get("path", "")
    if path.startswith("/v2/") or path.endswith("/predict"):
        return LONGEST_INFERENCE
    if path.startswith("/api/v1/files/"):
        return LONGEST_FILE
    return LONGEST_CARD if path.startswith("/api/v1/models/") else LONGEST_BODY


class ProtocolErrors:
    """Below /v2 every error is `{"error": "…"}`, whoever raised it: its clients read nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    said = json.dumps({"error": _sentence(body)}).encode()
                    headers = MutableHeaders(scope=start)
                    headers["Content-Type"], headers["Content-Length"] = "application/json", str(len(said))
                    await send(start)
                    await send({"type": "http.response.body", "body": said})

        ours = scope["type"] == "http" and (scope["path"] == "/v2" or scope["path"].startswith("/v2/"))
        await self.app(scope, receive, rewrite if ours else send)


def _sentence(body: bytes) -> str:
    """What a problem says, in one string."""
    try:
        said = json.loads(body)
        parts = [said["title"], said.get("detail", ""), *(error["detail"] for error in said.get("errors", ()))]
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


class SameOrigin:
    """Refuses what another site makes a browser send here: unsafe requests and WebSocket handshakes.

    A browser says where a request comes from in Sec-Fetch-Site, an older one in Origin; a program says neither, and
    has no cookie that another site could misuse. No token has to be carried through forms and pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        unsafe = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in SAFE_METHODS)
        if unsafe and not same_origin(Headers(scope=scope), scope["scheme"]):
            response = CrossSiteRequest("Send the request from a page of this site.").response()
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def same_origin(headers: Headers, scheme: str) -> bool:
    """Whether a request comes from our own pages or from no page at all."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    # Not every browser sends Sec-Fetch-Site with a handshake, so Origin is held against Host as well.
    secure = {"http": "http", "ws": "http", "https": "https", "wss": "https"}[scheme]
    return origin is None or origin == f"{secure}://{headers.get('host', '')}"
