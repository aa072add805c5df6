"""What operations are documented with: the parts that they share."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

HIGHEST_ID = 2**63 - 1
LONGEST_PAGE = 100
LONGEST_CURSOR = 2048


def _digits(value: object) -> object:
    """Pydantic would take ` 1`, `1.0` and `1_0` for numbers as well."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise ValueError("write a whole number in digits")
    return value


class Body(BaseModel):
    """A body in which a number is no string, an unknown member is a mistake, and nothing else is sent."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Page[Item: Body](Body):
    """A page of a list, newest first; `next` is the cursor of the page after."""

    items: list[Item]
    next: str | None


Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]
Count = Annotated[int, Field(ge=0, le=HIGHEST_ID)]
PathId = Annotated[int, Path(ge=1, le=HIGHEST_ID), BeforeValidator(_digits)]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE), BeforeValidator(_digits)]
Cursor = Annotated[str | SkipJsonSchema[None], Query(min_length=1, max_length=LONGEST_CURSOR)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
IfMatch = Annotated[list[str], Header(alias="If-Match"), WithJsonSchema({"type": "string"})]
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}

ETAG = {"ETag": {"required": True, "schema": {"type": "string", "pattern": r'^"[\x21\x23-\x7e]+"$'}}}
LOCATED = ETAG | {"Location": {"required": True, "schema": {"type": "string", "format": "uri-reference"}}}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

ANY = (401, 403, 406, 422, 429, 500, 503)


def reads(*more: int) -> dict[str, Any]:
    """How an operation that reads is documented."""
    responses = {200: {"headers": ETAG}, 304: {"description": "It is as it was."}} | problems(*more)
    extra = {"security": [{"token": ["stock:read"]}], "parameters": [IF_NONE_MATCH]}
    return {"responses": responses, "openapi_extra": extra}


def writes(*more: int, status: int = 200, headers: Mapping[str, Any] = ETAG) -> dict[str, Any]:
    """How an operation that changes something is documented."""
    success = {status: {"headers": headers}} if headers else {}
    extra = {"security": [{"token": ["stock:write"]}]}
    return {"status_code": status, "responses": success | problems(*more), "openapi_extra": extra}


def problems(*statuses: int) -> dict[int, Any]:
    """The errors that every operation has, and these."""
    return {status: {"description": "It was not done.", "content": PROBLEM} for status in sorted({*ANY, *statuses})}


class Fault(BaseModel):
    """What is wrong, and where: the place in the body, or the name of the parameter."""

    pointer: str = Field(default_factory=str)
    parameter: str = Field(default_factory=str)
    detail: str


class Problem(BaseModel):
    """What an error looks like (RFC 9457)."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = Field(default_factory=str)
    errors: list[Fault] = Field(default_factory=list)


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """The document with what FastAPI learns from no signature."""
    of_problems = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = schema["components"]["schemas"] | of_problems.pop("$defs") | {"Problem": of_problems}
    token = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return schema | {"components": {"schemas": schemas, "securitySchemes": {"token": token}}}
