"""Logs: a line of JSON per event in production, plain text elsewhere; a request id on every line and every answer."""

import logging
import logging.config
import re
import time
import uuid
from contextvars import ContextVar
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
access = logging.getLogger("app.access")
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class AddRequestId(logging.Filter):
    """Puts the id of the request that is being answered on the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class DropHandshakes(logging.Filter):
    """Drops uvicorn's lines for handshakes: one has the query string, one calls a refusal an error; ours follows."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not any(words in str(record.msg) for words in ('"WebSocket', "without completing handshake"))


def configuration(settings: Settings) -> dict[str, Any]:
    """For `logging.config.dictConfig` and for uvicorn, whose own access log is replaced by ours."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": AddRequestId}, "no_handshakes": {"()": DropHandshakes}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(levelname)s %(name)s %(message)s %(request_id)s",
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
            },
            "text": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s", "datefmt": "%H:%M:%S"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json" if settings.production else "text",
                "filters": ["request_id", "no_handshakes"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": settings.log_level} for name in ("app", "uvicorn.error", "alembic.runtime")},
    }


class RequestLog:
    """Gives each request an id (the caller's `X-Request-ID` when it is fit to be logged), and logs how it ended.

    The path is logged without its query, and no header, cookie or body ever is: they can carry secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        offered = Headers(scope=scope).get("x-request-id", "")
        identity = offered if ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
        request_id.set(identity)  # of this request alone: each is served in a context of its own
        started, status = time.perf_counter(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = identity
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            facts = {
                "method": scope.get("method", "WEBSOCKET"),
                "path": scope["path"],
                "status": status,
                "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                "client": scope["client"][0] if scope.get("client") else None,
            }
            access.info("%(method)s %(path)s %(status)s in %(milliseconds)s ms", facts, extra=facts)
