"""Strict fields: each is a JSON Schema, by which it is both checked and described. DRF's own would make 0 into "0"."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from rest_framework import serializers

from config.problems import WHOLE, Member

MOST = 2**63 - 1  # what a column holds
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def wrong_integer(schema: dict[str, Any], value: Any) -> str:
    """What is wrong with it, or nothing."""
    if type(value) is not int:  # True is one of Python's integers, and none of JSON's
        return "It is to be a whole number."
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"It is to be from {schema['minimum']} to {schema['maximum']}."
    return ""


def wrong_string(schema: dict[str, Any], value: Any) -> str:
    """What is wrong with it, or nothing."""
    if not isinstance(value, str):
        return "It is to be a text."
    if "enum" in schema and value not in schema["enum"]:
        return f"It is to be one of {', '.join(schema['enum'])}."
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return f"It is to have {schema.get('minLength', 0)} to {schema['maxLength']} characters."
    # fullmatch: `$` would let a line end pass.
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        return f"It is to be like {schema['pattern']}."
    # No database has half a character, and PostgreSQL no text with a NUL.
    return "No text." if "\0" in value or value.encode(errors="ignore").decode() != value else ""


WRONG = {"integer": wrong_integer, "string": wrong_string}


class Value(serializers.Field[Any, Any, Any, Any]):
    """A value of exactly this schema. With a default in it, it may be left out."""

    schema: ClassVar[dict[str, Any]] = {}

    def __init__(self, **how: Any) -> None:
        if "default" in self.schema:
            how.setdefault("required", False)
            how.setdefault("default", self.schema["default"])
        super().__init__(**how)

    def fault(self, data: Any) -> str:
        """What is wrong with it, or nothing."""
        return WRONG[self.schema["type"]](self.schema, data)

    def to_internal_value(self, data: Any) -> Any:
        if fault := self.fault(data):
            raise serializers.ValidationError(fault)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def value(name: str, **schema: Any) -> type[Value]:
    """A class of values."""
    return type(name, (Value,), {"schema": schema})


Id = value("Id", type="integer", minimum=1, maximum=MOST)
Count = value("Count", type="integer", minimum=0, maximum=MOST)
Limit = value("Limit", type="integer", minimum=1, maximum=100, default=50)
Next = value("Next", type=["string", "null"])


def instant(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.isoformat().replace("+00:00", "Z")


class Instant(Value):
    """An instant as RFC 3339 has them."""

    schema = {"type": "string", "format": "date-time"}

    def to_internal_value(self, data: Any) -> datetime:
        with suppress(ValueError, OverflowError):  # there is no such day, or none in UTC
            if INSTANT.fullmatch(super().to_internal_value(data)):
                return datetime.fromisoformat(data.upper()).astimezone(UTC)
        raise serializers.ValidationError("It is to be an instant, as 2026-11-20T08:30:00Z.")

    def to_representation(self, value: datetime) -> str:
        return instant(value)


class Cursor(Value):
    """Whether it is one is for `config.cursors` to say."""

    schema = {"type": "string", "minLength": 1, "maxLength": 2048}

    def fault(self, data: Any) -> str:
        return "" if 1 <= len(data) <= self.schema["maxLength"] else super().fault(data)


class Strict(serializers.Serializer[Any]):
    """An object of these members and no others."""

    least: ClassVar[int] = 0  # so many members it has at the least

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({WHOLE: ["It is to be an object."]})
        if len(data) < self.least:
            raise serializers.ValidationError({WHOLE: [f"It is to have at least {self.least} of its members."]})
        errors: dict[str, Any] = {
            Member(name): ["There is no such member."] for name in data if name not in self.fields
        }
        found: Any = {}
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= cast("dict[str, Any]", error.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return found


class Query(Strict):
    """The parameters of an address: texts, of which some are to be numbers."""

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """What is asked by an address without any, without the cost of looking at them."""
        declared = cls._declared_fields.items()
        return {name: field.default for name, field in declared if field.default is not serializers.empty}

    def to_internal_value(self, data: Any) -> Any:
        read = {}
        for name, value_ in data.items():
            field = self.fields.get(name)
            number = isinstance(field, Value) and field.schema["type"] == "integer" and NUMBER.fullmatch(value_)
            read[name] = int(value_) if number else value_
        return super().to_internal_value(read)


class Page(Query):
    """Where in a list."""

    limit = Limit()
    cursor = Cursor(required=False)
