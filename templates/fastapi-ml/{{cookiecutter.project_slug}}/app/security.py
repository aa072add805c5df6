"""What the server does for everybody's safety: hosts, proxies, HTTPS, headers, and errors that clients can read."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.health import Probes
from app.logging import RequestLog
from app.problems import answer, problem
from app.settings import Settings

HEADERS = {  # as ASGI has them: names in lower case
    # Everything comes from our own files; nothing is inline, nothing may frame us.
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}


def install(app: FastAPI, settings: Settings) -> None:
    """Wrap the application. The last one added is the first one asked, so read from the bottom."""
    if settings.production:
        app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))


class Application(FastAPI):
    """FastAPI, with what every answer is to have outside of what answers the errors that nobody foresaw."""

    def build_middleware_stack(self) -> ASGIApp:
        return Probes(RequestLog(SecurityHeaders(Errors(super().build_middleware_stack()))))


class SecurityHeaders:
    """Puts the headers on every answer; HSTS on those that went over HTTPS, as RFC 6797 section 7.2 demands."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                headers.raw.extend(HEADERS.items())
                # Files are asked for again, cheaply, by their ETag: a deploy must not mix old modules with new ones.
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
                if scope["scheme"] in ("https", "wss"):
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        await self.app(scope, receive, add if scope["type"] != "lifespan" else send)


class Errors:
    """Makes a problem of what others say in plain text, and `{"error": "…"}` of every error below /v2.

    Of a body that is too long it says how long one may be, which Starlette knows and does not say.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = scope["type"] == "http" and f"{scope['path']}/".startswith("/v2/")
        start: Message | None = None
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                text = (b"content-type", b"text/plain; charset=utf-8") in message["headers"]
                start = message if below or text or message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
            if start is None:
                await send(message)
            elif message is not start:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    said = problem_of(start["status"], body)
                    if start["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and said["type"] != "/problems/too-long":
                        said["detail"] = f"At most {scope['starlette.max_body_size']} bytes are taken."
                    response = JSONResponse({"error": sentence(said)}) if below else answer(said)
                    kept = [each for each in start["headers"] if each[0] not in (b"content-type", b"content-length")]
                    await send({**start, "headers": response.raw_headers + kept})
                    await send({"type": "http.response.body", "body": response.body})

        await self.app(scope, receive, rewrite)


def problem_of(status: int, body: bytes) -> dict[str, Any]:
    """The problem that a body is, or that its text is about."""
    try:
        return dict(json.loads(body))
    except ValueError:
        phrase, text = HTTPStatus(status).phrase, body.decode(errors="replace")
        return problem(status, phrase.lower().replace(" ", "-"), phrase, text if text != phrase else None)


def sentence(said: dict[str, Any]) -> str:
    """What a problem says, in one string."""
    parts = [said["title"], said.get("detail"), *(error["detail"] for error in said.get("errors", ()))]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
