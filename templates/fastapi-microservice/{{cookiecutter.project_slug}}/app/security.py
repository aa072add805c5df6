"""What the server does for everybody's safety: hosts, proxies, HTTPS, headers."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.contract import completed
from app.health import Probes
from app.logging import RequestLog
from app.problems import answer, problem
from app.settings import Settings

HSTS = "max-age=31536000; includeSubDomains"
HEADERS = {
    # Everything comes from our own files; nothing is inline, nothing may frame us.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def install(app: "Application", settings: Settings) -> None:
    """Wrap the application. The last one added is the first one asked, so read from the bottom."""
    app.add_exception_handler(405, app.not_allowed)
    if settings.production:
        app.add_middleware(HTTPSRedirectMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))


class Application(FastAPI):
    """FastAPI, with what every answer is to have outside of what answers the errors that nobody foresaw."""

    def build_middleware_stack(self) -> ASGIApp:
        return Probes(RequestLog(Answers(super().build_middleware_stack())))

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema

    async def not_allowed(self, request: Request, _error: Exception) -> Response:
        """Name all the methods that a path knows: the framework names those of one route of several."""
        found: set[str] = set()
        for route in iter_route_contexts(self.routes):
            regex = getattr(route, "path_regex", None)
            if regex is not None and regex.match(request.url.path):
                found |= set(getattr(route, "methods", None) or ())
        found |= {"HEAD"} if "GET" in found else set()
        said = problem(405, "method-not-allowed", "Method Not Allowed")
        return answer(said, headers={"Allow": ", ".join(sorted(found))})


class Answers:
    """Puts the headers on every answer; HSTS on those that went over HTTPS, as RFC 6797 section 7.2 demands.

    HEAD is answered as GET is, without the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if head := scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                # Files are asked for again, cheaply, by their ETag: a deploy must not mix old modules with new ones.
                private = "private, " if scope["path"].startswith("/api/") else ""
                headers.setdefault("Cache-Control", f"{private}no-cache")
                headers.update(scope["state"].get("allowance", {}))
                if scope["state"]["draining"]():
                    headers["Connection"] = "close"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
            elif head:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, add)
