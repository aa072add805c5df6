"""What core.yaml says, in a form that an answer can be held against."""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import httpx2
import jsonschema_rs
import yaml

HERE = Path(__file__).parent
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# draft-ietf-httpapi-ratelimit-headers-10: structured fields (RFC 9651), a list with one item of ours.
POLICY = re.compile(r'"[a-z]+";q=(?P<q>\d+);w=(?P<w>\d+)')
ALLOWANCE = re.compile(r'"[a-z]+";r=(?P<r>\d+);t=(?P<t>\d+)')


@dataclass(frozen=True)
class Operation:
    """One of the contract's operations."""

    path: str
    method: str
    facts: dict[str, Any]

    @property
    def scope(self) -> str:
        """The scope that it needs."""
        ((scope,),) = (each["token"] for each in self.facts["security"])
        return str(scope)

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.facts

    def demands(self, header: str) -> bool:
        """Whether a request without this header is refused."""
        return any(each["name"] == header and each.get("required") for each in self.facts.get("parameters", []))


@dataclass(frozen=True)
class Contract:
    """A document of OpenAPI 3.1, as a mapping."""

    document: dict[str, Any]
    validators: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """By their operationId, with references to parameters resolved."""
        found = {}
        for path, item in self.document["paths"].items():
            for method in METHODS & item.keys():
                facts = dict(item[method])
                parameters = [*item.get("parameters", []), *facts.get("parameters", [])]
                facts["parameters"] = [self.resolved(each) for each in parameters]
                found[str(facts["operationId"])] = Operation(path, method.upper(), facts)
        return dict(sorted(found.items()))

    @cached_property
    def problems(self) -> dict[str, int]:
        """The status of each type of problem, from the table in the description."""
        rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \|", self.document["info"]["description"], re.MULTILINE)
        return {name: int(status) for status, name in rows}

    def resolved(self, thing: dict[str, Any]) -> dict[str, Any]:
        """What a reference stands for."""
        while "$ref" in thing:
            found: Any = self.document
            for part in thing["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            thing = found
        return thing

    def check(self, operation: Operation, response: httpx2.Response) -> None:
        """Fail unless the answer is one that the contract has for this operation."""
        said = f"{operation.method} {response.request.url} gave {response.status_code}: {response.text[:300]}"
        described = operation.facts["responses"].get(str(response.status_code))
        assert described, f"{said}\nThe contract knows no such status here."
        described = self.resolved(described)
        for name, header in described.get("headers", {}).items():
            value = response.headers.get(name)
            assert value is not None, f"{said}\nIt has no {name}."
            pattern = self.resolved(header)["schema"].get("pattern", "")
            assert re.search(pattern, value), f"{name} is {value!r}, not of the form {pattern}"
        if "content" not in described:
            assert not response.content, f"{said}\nIt has a body, and the contract has none."
            return
        ((media_type, content),) = described["content"].items()
        assert response.headers.get("Content-Type", "").split(";")[0] == media_type, said
        if response.request.method == "HEAD":
            return
        schema = content["schema"]
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = schema | {"components": self.document["components"]}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole)
        wrong = [
            f"{list(each.instance_path)}: {each.message}" for each in self.validators[key].iter_errors(response.json())
        ]
        assert not wrong, f"{said}\nIt is not of its schema: {wrong}"
        check_instants(response.json())


def check_instants(value: object) -> None:
    """Fail unless every instant in it is in UTC, said with a Z."""
    if isinstance(value, list):
        for each in value:
            check_instants(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name.endswith("_at") and each is not None:
                assert INSTANT.fullmatch(each), f"{name} is {each!r}"
            check_instants(each)


def patched[Value](document: object, patch: Value) -> Value:
    """A document with a JSON Merge Patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    made: Any = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = patched(made.get(name), value)
    return cast("Value", made)


def read(name: str) -> dict[str, Any]:
    """A document beside this file, or a folder above it."""
    file = next(place / name for place in (HERE, HERE.parent) if (place / name).exists())
    return dict(yaml.safe_load(file.read_text("utf-8")))


def core() -> Contract:
    """What both servers of the twin keep."""
    return Contract(read("core.yaml"))


def full() -> Contract:
    """What `django-api` keeps besides."""
    document, patch = read("core.yaml"), read("full.yaml")
    said = document["info"]["description"] + patch["info"]["description"]  # the rules of both hold
    return Contract(patched(document, patch) | {"info": document["info"] | {"description": said}})
