"""What drf-spectacular makes of the operations is the contract, and says nothing more."""

from typing import Any

import pytest

from config.openapi import made
from tests.contract import contract

WORDS = {"description", "summary", "examples", "operationId", "title"}


def resolved(thing: Any, document: dict[str, Any]) -> Any:
    """A part of a document as it means something: references followed, no words, in any order."""
    if isinstance(thing, list):
        found = [resolved(each, document) for each in thing]
        return sorted(found, key=repr)
    if not isinstance(thing, dict):
        return thing
    if "$ref" in thing:
        target: Any = document
        for part in thing["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return resolved(target, document)
    # A member may be called `description`, so the names of members are no words for people.
    return {
        name: {member: resolved(each, document) for member, each in value.items()}
        if name == "properties"
        else resolved(value, document)
        for name, value in thing.items()
        if name not in WORDS
    }


def operations(document: dict[str, Any]) -> dict[str, Any]:
    """Each operation of a document, by its path and method, with the parameters of its path."""
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                found[f"{method} {path}"] = resolved(operation | {"parameters": parameters}, document)
    return found


OURS, THEIRS = made(), contract.full().document
TAGS = {tag for operation in operations(OURS).values() for tag in operation["tags"]}
# An extra that is not here is not described: it has a tag of its own, or is this one.
OF_AN_EXTRA = {"post /api/v1/reservations/bulk"} - operations(OURS).keys()
EXPECTED = {
    name: each for name, each in operations(THEIRS).items() if {*each["tags"]} <= TAGS and name not in OF_AN_EXTRA
}


def test_the_operations_are_those_of_the_contract() -> None:
    assert {"products", "movements", "reservations"} <= TAGS
    assert operations(OURS).keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("part", ["parameters", "responses", "requestBody", "security", "tags", "deprecated"])
def test_each_part_of_an_operation_is_that_of_the_contract(name: str, part: str) -> None:
    assert operations(OURS)[name].get(part) == EXPECTED[name].get(part)


def test_the_names_of_the_operations_are_those_of_the_contract() -> None:
    def names(document: dict[str, Any]) -> set[str]:
        return {
            item[method]["operationId"]
            for path, item in document["paths"].items()
            for method in item
            if f"{method} {path}" in EXPECTED
        }

    assert names(OURS) == names(THEIRS)


def test_tokens_are_described_as_the_contract_has_them() -> None:
    assert OURS["components"]["securitySchemes"] == THEIRS["components"]["securitySchemes"]
    assert OURS["openapi"].startswith("3.1")
