"""What holds for every operation of the API, whatever it does.

In this order: what the caller takes, who it is, how often, what it may, what it sends. All of it has a deadline.
FastAPI reads a body before it asks any dependency, so none of this is one: nobody who is unknown makes us read
anything.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from app import errors, telemetry
from app.auth.services import Caller
from app.database import limit_of_request
from app.etags import etag_of, matches
from app.idempotency.errors import IdempotencyKeyMissing
from app.idempotency.services import Answer, fingerprint, once
from app.state import State, state_of

LONGEST_BODY = 64 * 1024  # bytes

type Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Parsed(Request):
    """A request whose body was read, and is JSON."""

    value: Any

    async def json(self) -> Any:  # noqa: ANN401
        return self.value


class Operation(APIRoute):
    """A route that nobody reaches without a token of its scope: the one that `needs` documents."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        ((scope,),) = (need["token"] for need in (self.openapi_extra or {})["security"])
        known = {parameter.alias for parameter in self.dependant.query_params}
        has_body = self.body_field is not None

        async def whole(request: Request) -> Response:
            state = state_of(request)
            try:
                async with asyncio.timeout(state["settings"].deadline_seconds) as limit:
                    limit_of_request.set(limit)
                    return await within(request, state)
            except TimeoutError as error:
                raise errors.Unavailable("It took too long. Try again in a moment.") from error

        async def within(request: Request, state: State) -> Response:
            telemetry.follow(request.headers)
            acceptable(request.headers.get("accept"))
            caller = await state["tokens"].caller(request.headers.get("authorization"))
            request.state.caller = caller
            request.state.allowance = await state["limits"].admit(caller.name)
            caller.must_have(scope)
            if has_body:
                request = await parsed(request)
            given = request.query_params
            if given:
                only_known(given.multi_items(), known)
            try:
                response = await handle(request)
            except RequestValidationError as error:
                raise in_the_words_of_the_contract(error) from error
            if response.status_code == HTTPStatus.OK and request.method == "GET":
                return unless_known(request, response)
            return response

        return whole


def acceptable(accept: str | None) -> None:
    """Raises NotAcceptable when JSON is among what the caller does not take (RFC 9110, section 12.5.1)."""
    if accept is None or accept == "*/*":
        return
    quality: dict[str, float] = {}
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        given = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        quality[kind] = float(given) if given.replace(".", "", 1).isdecimal() else 0.0
    best = next((quality[kind] for kind in ("application/json", "application/*", "*/*") if kind in quality), 0.0)
    if accept.strip() and not best:
        raise errors.NotAcceptable("Send `Accept: application/json`, or no Accept at all.")


async def parsed(request: Request) -> Parsed:
    """The request with its body, which is read no further than it may be long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.UnsupportedMediaType("Send `Content-Type: application/json`.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise errors.ContentTooLarge(f"Send at most {LONGEST_BODY} bytes.", headers={"Connection": "close"})
    content = bytes(body)
    again = Parsed(request.scope, request.receive)
    again.value = from_json(content)
    again._body = content  # noqa: SLF001  as Starlette keeps it
    return again


def from_json(body: bytes) -> Any:  # noqa: ANN401
    """The value of a JSON text, as RFC 8259 has it: UTF-8, and no NaN."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # nested too deep is the latter
        raise errors.Malformed("Send JSON in UTF-8.") from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def only_known(given: list[tuple[str, str]], known: set[str]) -> None:
    """Refuse a parameter that nobody asked for, or that comes twice: one of two would be ignored."""
    seen = set()
    for name, _ in given:
        if name not in known:
            raise invalid("query", name, "There is no such parameter.")
        if name in seen:
            raise invalid("query", name, "Give it once.")
        seen.add(name)


def invalid(place: str, name: str, what: str) -> RequestValidationError:
    """What FastAPI raises for a value that is not allowed, for what it cannot know itself."""
    return RequestValidationError([{"type": "value_error", "loc": (place, name), "msg": what}])


def in_the_words_of_the_contract(error: RequestValidationError) -> Exception:
    """What a wrong value means by its place: a path leads nowhere, a header that is demanded is missing."""
    places = {error["loc"][:2] for error in error.errors()}
    if any(place[0] == "path" for place in places):
        return errors.NotFound("There is nothing of that id.")
    if ("header", "If-Match") in places:
        return errors.PreconditionRequired("Send the ETag that you read in `If-Match`.")
    if ("header", "Idempotency-Key") in places:
        return IdempotencyKeyMissing("Send 1 to 200 visible ASCII characters in `Idempotency-Key`, a UUID for example.")
    return error


def unless_known(request: Request, response: Response) -> Response:
    """The answer with its ETag, or 304 when the caller has it already."""
    tag = etag_of(bytes(response.body))
    if matches(request.headers.getlist("if-none-match"), tag, weakly=True):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response


def answer(body: BaseModel, status: int = 200, **headers: str) -> Response:
    """A body as an answer."""
    content = body.model_dump_json().encode()
    return Response(content, status, headers, media_type="application/json")


def tagged(body: BaseModel, status: int = 200, **headers: str) -> Response:
    """The representation of a thing as an answer, with its ETag."""
    response = answer(body, status, **headers)
    response.headers["ETag"] = etag_of(bytes(response.body))
    return response


async def done_once(request: Request, key: str, do: Callable[[AsyncConnection], Awaitable[Response]]) -> Response:
    """What an operation with an Idempotency-Key answers: `do` does it, in one transaction with its answer."""

    async def kept(connection: AsyncConnection) -> Answer:
        response = await do(connection)
        headers = response.headers
        return Answer(response.status_code, bytes(response.body), headers.get("etag"), headers.get("location"))

    said = fingerprint(request.method, request.url.path, getattr(request, "value", None))
    name = caller_of(request).name
    done = await once(state_of(request)["database"], caller=name, key=key, said=said, do=kept)
    headers = {"ETag": done.etag, "Location": done.location}
    given = {name: value for name, value in headers.items() if value}
    return Response(done.body, done.status, given, media_type="application/json")


def caller_of(request: Request) -> Caller:
    """Who asks."""
    return cast(Caller, request.state.caller)
