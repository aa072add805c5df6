"""The API's description, OpenAPI 3.1, made by drf-spectacular of what the operations are held to."""

from typing import Any, cast

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from config.api import Operation, View
from config.values import Page, Strict, Value

STRING = {"type": "string"}
ETAG = STRING | {"pattern": r'^"[\x21\x23-\x7e]+"$'}
KEY = STRING | {"minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"}
# What any operation may be answered; 422, since any may be asked with a parameter that it does not know.
ALWAYS = {401, 403, 406, 422, 429, 500, 503}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": STRING | {"format": "uri-reference"},
        "title": STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": STRING,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {"pointer": STRING, "parameter": STRING, "detail": STRING},
            },
        },
    },
}


def refusals(operation: Operation, *, of_one: bool) -> set[int]:
    """The statuses of the problems that an operation may be answered with."""
    found = ALWAYS | {*operation.refuses}
    found |= {404} if of_one else set()
    found |= {400, 413, 415} if operation.takes else set()
    found |= {400, 409} if operation.once else set()
    found |= {400} if issubclass(operation.query, Page) else set()
    return found | ({412, 428} if operation.if_match else set())


class Schema(AutoSchema):
    """An operation of a view, as it is described."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> dict[str, Any]:
        """The description of what `config.api` does."""
        self.registry, self.path, self.path_regex, self.path_prefix, self.method = (
            registry, path, path_regex, path_prefix, method,
        )  # fmt: skip
        operation: Operation = getattr(self.view, method.lower()).operation
        described: dict[str, Any] = {
            "operationId": operation.name,
            "tags": [cast("View", self.view).tag],
            "summary": operation.summary,
            "security": [{"token": [operation.scope]}],
            "parameters": self.parameters(operation),
            "responses": self.responses(operation),
        }
        if operation.takes:
            described["requestBody"] = {"required": True, "content": self.content(operation.takes)}
        if operation.deprecated:
            described["deprecated"] = True
        return described

    def parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """In the path, in the query, in headers."""
        found = [
            {"name": name, "in": "path", "required": True, "schema": cast("View", self.view).named[name].schema}
            for name in self.names
        ]
        found += [
            {"name": name, "in": "query", "schema": cast("Value", field).schema}
            for name, field in operation.query().fields.items()
        ]
        if self.method == "GET":
            found.append({"name": "If-None-Match", "in": "header", "schema": STRING})
        if operation.if_match:
            found.append({"name": "If-Match", "in": "header", "required": True, "schema": STRING})
        if operation.once:
            found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": KEY})
        return found

    @property
    def names(self) -> list[str]:
        """The names in the path."""
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    def responses(self, operation: Operation) -> dict[str, Any]:
        """What comes back, by its status."""
        headers = {"ETag": ETAG} if operation.tagged and operation.gives else {}
        good: dict[str, Any] = {"description": "It is done."}
        if operation.gives:
            good["content"] = self.content(operation.gives)
        if told := {**headers, **operation.headers}:
            good["headers"] = {name: {"required": True, "schema": schema} for name, schema in told.items()}
        found = {operation.status: good}
        if self.method == "GET":
            found[304] = {"description": "It is as it was. Without a body."}
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for status in refusals(operation, of_one=bool(self.names)):
            found[status] = {"description": "It was not done, and why.", "content": content}
        return {str(status): found[status] for status in sorted(found)}

    def content(self, serializer: type[Strict]) -> dict[str, Any]:
        return {"application/json": {"schema": self.resolve_serializer(serializer, "request").ref}}

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        """An object of these members and no others."""
        properties = {name: self._map_serializer_field(field, direction) for name, field in serializer.fields.items()}
        for name, field in serializer.fields.items():
            if hasattr(field, "min_length"):  # a list of so many
                bounds = {"minItems": field.min_length, "maxItems": field.max_length}
                properties[name] |= {key: value for key, value in bounds.items() if value is not None}
        made = {"type": "object", "additionalProperties": False, "properties": properties}
        if required := [name for name, field in serializer.fields.items() if field.required]:
            made["required"] = required
        return made | ({"minProperties": serializer.least} if serializer.least else {})

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        if isinstance(field, Value):
            return dict(field.schema)
        found: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        return found


def made() -> dict[str, Any]:
    """The whole description, with what no view has."""
    found: dict[str, Any] = cast("Any", SchemaGenerator)().get_schema(public=True)
    found["components"]["schemas"]["Problem"] = PROBLEM
    found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return found
