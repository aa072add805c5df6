"""Problem details (RFC 9457): one base error, and every error that leaves the server in one form."""

import logging
import re
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818  the standard's own word
    """A rule was broken. Subclasses say which, in words for the person who has to mend it.

    The name of the class is its type (`RoomNotFound` is `/problems/room-not-found`), the first line of its docstring
    its title, `detail` what is special about this case.
    """

    status: ClassVar[int] = 400

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail, self.headers = detail, headers

    def as_dict(self) -> dict[str, Any]:
        """The problem as the members of RFC 9457."""
        kind = re.sub("(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()
        title = (type(self).__doc__ or "").partition("\n")[0].removesuffix(".")
        return problem(self.status, kind, title, self.detail)

    def response(self) -> JSONResponse:
        """The problem as an answer to an HTTP request, or to a handshake that is refused."""
        return answer(self.as_dict(), headers=self.headers)


def problem(status: int, kind: str, title: str, detail: str | None = None) -> dict[str, Any]:
    """The members that every problem has. `kind` is the slug of its type."""
    body = {"type": f"/problems/{kind}", "title": title, "status": status}
    return body | {"detail": detail} if detail else body


def answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make every error of the application a problem, the framework's own (404, 405, 422, 500 …) included."""

    @app.exception_handler(Problem)
    async def rule(_request: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(HTTPException)
    async def framework(_request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail != phrase else None
        body = problem(error.status_code, phrase.lower().replace(" ", "-"), phrase, detail)
        return answer(body, headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(problem(422, "invalid", "The request is not valid") | {"errors": field_errors(error.errors())})

    async def database(_request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, InternalError) and not error.connection_invalidated:
            raise error
        cause = getattr(error, "orig", None) or error
        # Not its words: a database puts into them what people wrote.
        logger.error("The database does not answer: %s %s", type(cause).__name__, getattr(cause, "sqlstate", ""))
        body = problem(503, "unavailable", "The server cannot do this now", "Try again in a moment.")
        return answer(body, headers={"Retry-After": "2"})

    for kind in (InterfaceError, InternalError, OperationalError, PoolTimeoutError):
        app.add_exception_handler(kind, database)

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
        # No word of the inside. The server logs it.
        return answer(problem(500, "internal-server-error", "Something went wrong on our side"))


def field_errors(errors: Any) -> list[dict[str, str]]:  # noqa: ANN401
    """Pydantic's errors as a JSON Pointer into the body (RFC 6901), or the name of the parameter, and a sentence."""
    found = []
    for error in errors:
        place, *path = error["loc"] or ("body",)
        if place in ("query", "path", "header", "cookie"):
            where = {"parameter": ".".join(str(part) for part in path)}
        else:
            path = [] if error["type"] == "json_invalid" else path if place == "body" else [place, *path]
            where = {"pointer": "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)}
        found.append(where | {"detail": error["msg"]})
    return found
