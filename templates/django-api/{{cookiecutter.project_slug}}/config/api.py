"""What a view of the API is: its operations say what they demand and what they give. Both are held to it, here in deed
and in `config.openapi` in word."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from config import body
from config.etags import etag, is_known
from config.problems import Invalid, NotFound, Problem, Refused
from config.values import NUMBER, Query, Strict, Value
from config.via import acting
from idempotency.services import fingerprint, once

KEY = re.compile(r"[\x21-\x7e]{1,200}")
LOCATION = {"type": "string", "format": "uri-reference"}


class PreconditionRequired(Problem):
    """A change without saying of what."""

    status = 428
    slug = "precondition-required"
    title = "If-Match is missing"


class KeyMissing(Problem):
    """Something that is done once, without the key by which it is known again."""

    slug = "idempotency-key-missing"
    title = "Idempotency-Key is missing"


@dataclass(frozen=True)
class Operation:
    """What a method of a view demands, and what it gives."""

    name: str
    summary: str
    scope: str
    gives: type[Strict] | None = None
    status: int = 200
    takes: type[Strict] | None = None
    query: type[Query] = Query
    refuses: tuple[int, ...] = ()  # besides what all do that demand the same
    once: bool = False
    if_match: bool = False
    tagged: bool = True
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # of its answer, besides the ETag: their schemas
    deprecated: bool = False


class Answer(NamedTuple):
    """Exactly what is sent."""

    content: bytes
    status: int
    headers: dict[str, str]


def answer(value: Any, status: int = 200, *, tagged: bool = True, **headers: str) -> Answer:
    """A value as an answer; `Retry_After="1"` is a header."""
    content = b"" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    told = {name.replace("_", "-"): each for name, each in headers.items()}
    return Answer(content, status, told | ({"ETag": etag(content)} if tagged else {}))


class View(APIView):
    """Who asks is known first and counted, then what they may is looked at, then what they have sent."""

    sent = b""
    given: Any = None
    asked: Any = None
    allowance: Mapping[str, str] = {}  # the headers that tell it, as config.allowance has counted
    http_method_names = ["get", "head", "post", "patch", "delete"]  # the document says more than DRF's OPTIONS
    tag: ClassVar[str] = ""
    named: ClassVar[dict[str, type[Value]]] = {}  # what stands in the path

    @property
    def default_response_headers(self) -> dict[str, str]:
        # An answer may be asked for again by its ETag, and is nobody else's.
        return {"Cache-Control": "private, no-cache"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        self.perform_authentication(request)
        if self.caller is None:
            raise NotAuthenticated
        # Nobody else may keep a thread waiting for what they send; and who may keeps no connection meanwhile.
        if not connection.in_atomic_block:
            close_old_connections()
        self.sent = body.read(request._request)  # noqa: SLF001  DRF's own would look at the body
        self.check_throttles(request)
        self.check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.allowance.items():
            response[name] = value
        return response

    @property
    def caller(self) -> Any:
        """Who asks, a Caller. None only as long as nobody has looked."""
        return self.request.user

    def carry_out(self, operation: Operation, do: Callable[..., Answer], named: dict[str, str]) -> HttpResponse:
        """Hold the request to what the operation demands, and do it."""
        request = self.request._request  # noqa: SLF001  DRF's own would look at the body
        accepted = request.META.get("HTTP_ACCEPT", "").strip()
        if accepted not in ("", "*/*") and not request.accepts("application/json"):
            raise Refused(406)
        ids = {name: self.identified(name, text) for name, text in named.items()}
        self.asked = parameters(operation.query, request)
        key = self.key() if operation.once else ""
        if operation.if_match and "HTTP_IF_MATCH" not in request.META:
            raise PreconditionRequired
        value = None
        if operation.takes:
            value = body.value_of(self.sent, request.META.get("CONTENT_TYPE", ""))
            given = operation.takes(data=value)
            given.is_valid(raise_exception=True)
            self.given = given.validated_data
        elif self.sent:
            raise Invalid("There is no body here.")
        with acting(self.caller.via):
            if not operation.once:
                return self.respond(do(**ids))
            print_ = fingerprint(str(request.method), request.path, value)
            return self.respond(Answer(*once(self.caller.subject, key, print_, partial(do, **ids))))

    def identified(self, name: str, text: str) -> Any:
        """What a part of the path stands for. Raises NotFound when nothing can have this name."""
        value = self.named[name]()
        read = int(text) if value.schema["type"] == "integer" and NUMBER.fullmatch(text) else text
        if value.fault(read):
            raise NotFound
        return read

    def key(self) -> str:
        """What this request is known by, if it comes again. Raises KeyMissing."""
        said: str = self.request.META.get("HTTP_IDEMPOTENCY_KEY", "")
        if not KEY.fullmatch(said):
            raise KeyMissing("Send an Idempotency-Key of 1 to 200 visible ASCII characters.")
        return said

    def respond(self, made: Answer) -> HttpResponse:
        """The answer, or 304 where the caller has it already."""
        request, status, content = self.request, made.status, made.content
        reads = request.method in ("GET", "HEAD") and status == HTTPStatus.OK
        if reads and is_known(request.META.get("HTTP_IF_NONE_MATCH", ""), made.headers.get("ETag", "")):
            status, content = HTTPStatus.NOT_MODIFIED, b""
        response = HttpResponse(content, status=status, content_type="application/json", headers=made.headers)
        if not content:
            del response["Content-Type"]
        return response


def parameters(query: type[Query], request: HttpRequest) -> Any:
    """The parameters of an address, of which each is known and comes once."""
    if not request.META.get("QUERY_STRING"):
        return query.defaults()
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    read = query(data=request.GET.dict())
    if twice or not read.is_valid():
        wrong = dict.fromkeys(twice, "It comes twice.") or {name: each[0] for name, each in read.errors.items()}
        raise Invalid(errors=({"parameter": str(name), "detail": str(each)} for name, each in wrong.items()))
    return read.validated_data


def operation(name: str, summary: str, **facts: Any) -> Callable[[Callable[..., Answer]], Callable[..., HttpResponse]]:
    """A method of a view that is one of the API's operations."""
    said = Operation(name, summary, **facts)

    def decorated(do: Callable[..., Answer]) -> Callable[..., HttpResponse]:
        @wraps(do)
        def method(self: View, _request: Request, **named: str) -> HttpResponse:
            return self.carry_out(said, partial(do, self), named)

        method.operation = said  # type: ignore[attr-defined]
        return method

    return decorated
