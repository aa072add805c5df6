"""What is for people: how to make the first call, the documentation, and what is shown when nothing else can be."""

import json
import re
from functools import cache, lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from config.openapi import made


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How to get a token, and what to do with it."""
    return render(request, "home.html", {"here": request.build_absolute_uri("/")})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation, from the same description that programs get."""
    return render(request, "docs.html", {"chapters": chapters(request.build_absolute_uri("/"))})


@require_safe
def document(_request: HttpRequest) -> HttpResponse:
    """The API's description. It says nothing that a caller may not know, and is the same for everybody."""
    return JsonResponse(described())


@cache
def described() -> dict[str, Any]:
    return made()


@lru_cache(maxsize=8)
def chapters(here: str) -> dict[str, list[dict[str, Any]]]:
    """The operations, by their tags, as a page at this address shows them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            shown = operation | {"method": method.upper(), "path": path, "scope": operation["security"][0]["token"][0]}
            shown["curl"] = curl(shown, here)
            shown["members"] = [*members(operation).items()]  # a member may be called items, too
            found.setdefault(operation["tags"][0], []).append(shown)
    return found


def members(operation: dict[str, Any]) -> dict[str, Any]:
    """The members of the body that an operation takes, by their names."""
    if "requestBody" not in operation:
        return {}
    found: dict[str, Any] = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    return dict(found["properties"])


def resolved(schema: dict[str, Any]) -> Any:
    """What a schema that may be a reference stands for."""
    return described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def example(schema: dict[str, Any]) -> Any:
    """A value that this could be."""
    schema = resolved(schema)
    match schema["type"]:
        case "object":
            return {name: example(each) for name, each in schema["properties"].items() if name in schema["required"]}
        case "array":
            return [example(schema["items"])]
    return schema.get("examples", schema.get("enum", [schema.get("minimum", "text")]))[0]


def curl(shown: dict[str, Any], here: str) -> str:
    """The command that does it."""
    start = "curl" if shown["method"] == "GET" else f"curl -X {shown['method']}"
    lines = [f'{start} -H "Authorization: Bearer $TOKEN"']
    required = [each["name"] for each in shown["parameters"] if each["in"] == "header" and each.get("required")]
    values = {"If-Match": "'If-Match: \"…\"'", "Idempotency-Key": '"Idempotency-Key: $(uuidgen)"'}
    lines += [f"-H {values[name]}" for name in required]
    if given := members(shown):
        wanted = {name: example(each) for name, each in given.items() if "default" not in each and name != "note"}
        lines.append(f"--json '{json.dumps(wanted)}'")
    path = shown["path"].replace("{sku}", "TEA-GREEN-100").removeprefix("/")
    return " \\\n  ".join([*lines, here + re.sub(r"\{\w+\}", "1", path)])


def server_error(_request: HttpRequest) -> HttpResponse:
    """Something broke. The page asks no database; where not even its style is there, two words are left."""
    try:
        return HttpResponseServerError(render_to_string("500.html"))
    except Exception:
        return HttpResponseServerError(
            "Something broke. It was written down, and we look at it.", content_type="text/plain"
        )
