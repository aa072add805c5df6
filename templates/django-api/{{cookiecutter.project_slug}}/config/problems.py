"""Problem details (RFC 9457): the one form of every error of the API, whoever made it."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

logger = logging.getLogger(__name__)
API = "/api/"
MOST_ERRORS = 100  # of one body: whoever sends a thousand mistakes need not hear of all
# What people read of a status. Python's own phrases are others from version to version.
TITLES = {
    400: "It cannot be read", 401: "Who is asking?", 403: "Not allowed", 404: "There is nothing here",
    405: "No such method here", 406: "There is JSON only", 413: "Too large", 415: "JSON only, please",
    422: "Not these values", 429: "Too many requests", 500: "Something broke", 503: "Not now",
}  # fmt: skip
SLUGS = {
    400: "malformed", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    406: "not-acceptable", 413: "content-too-large", 415: "unsupported-media-type", 422: "invalid",
    429: "too-many-requests", 500: "internal-server-error", 503: "unavailable",
}  # fmt: skip


class Problem(Exception):  # noqa: N818  it is called so
    """What is not done, and why. The subclasses are in the `errors.py` of their features."""

    status = 400
    slug = ""
    title = ""

    def __init__(
        self, detail: str = "", *, errors: Iterable[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors, self.headers = detail, [*errors], headers or {}

    def response(self) -> HttpResponse:
        """The answer, as bytes that tell no more than this."""
        said: dict[str, Any] = {
            "type": f"/problems/{self.slug or SLUGS.get(self.status, 'refused')}",
            "title": self.title or TITLES.get(self.status, "Refused"),
            "status": self.status,
        }
        if self.detail:
            said["detail"] = self.detail
        if self.errors:
            said["errors"] = self.errors[:MOST_ERRORS]
        # ASCII: what is quoted may be half a character, which no UTF-8 can say.
        return HttpResponse(
            json.dumps(said), status=self.status, headers=self.headers, content_type="application/problem+json"
        )


class NotFound(Problem):
    """There is none, or none for this caller."""

    status = HTTPStatus.NOT_FOUND


class Invalid(Problem):
    """Values that are not allowed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Refused(Problem):
    """Any other status that Django or DRF has found."""

    def __init__(self, status: int, detail: str = "", **more: Any) -> None:
        super().__init__(detail, **more)
        self.status = status


def pointers(detail: Any, place: str = "#") -> Iterable[dict[str, str]]:
    """The errors of a serializer, each with its place in the body (RFC 6901)."""
    if isinstance(detail, dict):
        for name, each in detail.items():
            part = str(name).replace("~", "~0").replace("/", "~1")
            yield from pointers(each, place if name == WHOLE else f"{place}/{part}")
    else:
        for each in detail:
            yield {"pointer": place, "detail": str(each)}


WHOLE = "non_field_errors"  # DRF's name for what is wrong with all of it


def problem_of(error: Exception) -> Problem:
    """What an exception is to the caller. One that nobody foresaw is written down, and says nothing."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            return Invalid(errors=pointers(error.detail))
        case exceptions.APIException():
            # DRF's names for what it tells the handler: whom to ask, and how long to wait.
            told = {"WWW-Authenticate": getattr(error, "auth_header", ""), "Retry-After": getattr(error, "wait", "")}
            return Refused(error.status_code, headers={name: str(value) for name, value in told.items() if value})
        case SuspiciousOperation():  # a thousand parameters, say
            return Refused(422)
        case OperationalError() | InterfaceError():
            logger.warning("The database does not do it: %s", error)
            return Refused(503, headers={"Retry-After": "1"})
    logger.error("Something broke", exc_info=error)
    return Refused(500)


def answer_to(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF calls it with whatever a view has raised."""
    response = problem_of(error).response()
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


@csrf_exempt
def nowhere(_request: HttpRequest) -> HttpResponse:
    """An address of the API that leads nowhere, in development too, where Django would tell of all the others."""
    return NotFound().response()


def problems(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give what others than the API's views have refused the API's form, where it is asked."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API):
            return get_response(request)
        # No text can have it, so no thing has this name; the views say so, as of any other.
        request.path = request.path.replace("\x00", "\ufffd")
        request.path_info = request.path_info.replace("\x00", "\ufffd")
        response = get_response(request)
        form = response.get("Content-Type", "")
        if response.status_code >= HTTPStatus.BAD_REQUEST and form != "application/problem+json":
            return Refused(response.status_code).response()
        return response

    return answer
