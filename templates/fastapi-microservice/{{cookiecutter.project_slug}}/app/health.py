"""The probes: `/livez` (the process answers) and `/readyz` (its database does, and has this code's tables)."""

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)


class Probes:
    """Answers the probes before any other middleware: a kubelet knows neither our host name nor HTTPS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"], scope.get("path"), scope.get("method"):
            case "http", "/livez", "GET" | "HEAD":
                await JSONResponse({"status": "alive"})(scope, receive, send)
            case "http", "/readyz", "GET" | "HEAD":
                status, body = await readiness(scope["state"])
                await JSONResponse(body, status)(scope, receive, send)
            case _:
                await self.app(scope, receive, send)


async def readiness(state: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status code and the body of `/readyz`: 503 only when the database or its schema is not there.

    `state` is the lifespan's: its `database`, and in `helpers` what the process can do without for a while, each with a
    function that says whether it is there.
    """
    try:
        schema = await state["database"].schema()
    except (SQLAlchemyError, OSError) as error:
        logger.warning("The database does not answer: %s", type(error).__name__)
        return 503, {"status": "unavailable", "checks": {"database": "no answer"}}
    checks = {"database": "ok", "schema": schema}
    if schema != "ok":
        return 503, {"status": "unavailable", "checks": checks, "detail": "Run: python -m app migrate"}
    checks |= {name: "ok" if up() else "no answer" for name, up in state.get("helpers", {}).items()}
    return 200, {"status": "degraded" if "no answer" in checks.values() else "ready", "checks": checks}
