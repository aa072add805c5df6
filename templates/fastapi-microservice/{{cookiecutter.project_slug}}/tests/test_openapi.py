"""The API's own document says what the contract says."""

from pathlib import Path
from typing import Any

import yaml

from app.extras import all_extras
from app.main import API, create_app
from app.settings import Settings

CONTRACT = Path(__file__).parent / "contract" / "core.yaml"
WORDS = {"description", "summary", "title", "examples", "operationId", "$comment"}


def resolved(value: Any, whole: Any) -> Any:
    """A part of a document with its references put in, and without what is only for people."""
    if isinstance(value, list):
        return [resolved(each, whole) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = whole
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return resolved(target, whole)
    return normal({key: resolved(each, whole) for key, each in value.items() if not (key in WORDS and is_words(each))})


def is_words(value: Any) -> bool:
    """Whether it is a text for people, and not a member of that name."""
    return not isinstance(value, dict)


def normal(schema: dict[str, Any]) -> dict[str, Any]:
    """One of several ways to write the same: null is an alternative, order is nothing."""
    alternatives = schema.get("anyOf", [])
    if {"type": "null"} in alternatives and len(alternatives) == 2:
        (other,) = (each for each in alternatives if each != {"type": "null"})
        schema = {**schema, **other, "type": [other["type"], "null"]}
        del schema["anyOf"]
    for key in ("minimum", "maximum"):
        if key in schema:
            schema[key] = float(schema[key])  # FastAPI knows no other numbers here
    for key in ("required", "enum"):
        if isinstance(schema.get(key), list):
            schema[key] = sorted(schema[key])
    return schema


def operations(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """What each operation takes and gives."""
    found = {}
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "patch", "delete", "put", "head"}:
            operation = resolved(item[method], document)
            everywhere = [resolved(each, document) for each in item.get("parameters", [])]
            parameters = {(each["in"], each["name"]): each for each in everywhere + operation.pop("parameters", [])}
            for each in parameters.values():
                each.setdefault("required", False)
            found[method, path] = operation | {"parameters": parameters}
    return found


def test_the_document_says_what_the_contract_says(settings: Settings) -> None:
    app = create_app(settings)
    ours = operations(app.openapi())
    for extra in (extra.router for extra in all_extras().values() if extra.router):
        for route in extra.routes:
            for method in getattr(route, "methods", ()):
                ours.pop((method.lower(), API + getattr(route, "path", "")))
    agreed = operations(yaml.safe_load(CONTRACT.read_text("utf-8")))
    assert ours.keys() == agreed.keys()
    for operation, wanted in agreed.items():
        assert ours[operation] == wanted, operation


def test_a_token_is_what_the_contract_says(settings: Settings) -> None:
    agreed = yaml.safe_load(CONTRACT.read_text("utf-8"))["components"]["securitySchemes"]
    assert create_app(settings).openapi()["components"]["securitySchemes"] == agreed
