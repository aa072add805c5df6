"""Predictions by plain JSON: a member per input, checked and described by the model's own card."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from app.inference.cards import Card, Input
from app.inference.errors import BadInput
from app.inference.tensors import NUMPY, Array
from app.plain.errors import NotPlain
from app.schemas import Strict
from app.serving.batching import Lane

PYTHON: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "O": str}


class Lenient(BaseModel):
    """The fields of a form, in which a number is a text that says one."""

    model_config = ConfigDict(extra="forbid")


def parse(lane: Lane, content: bytes | dict[str, str]) -> dict[str, Any]:
    """The members of a JSON body, or the fields of a form. Raises RequestValidationError, or NotPlain."""
    kind = schema(lane, lenient=isinstance(content, dict))
    try:
        row = kind.model_validate(content) if isinstance(content, dict) else kind.model_validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([fault | {"loc": ("body", *fault["loc"])} for fault in faults]) from error
    return dict(row)


def tensors(card: Card, row: dict[str, Any]) -> dict[str, Array]:
    """The members as tensors of one row. Raises BadInput for a number that the datatype does not hold."""
    try:
        with np.errstate(over="raise"):
            return {
                each.name: np.array(row[each.name], NUMPY[each.datatype]).reshape(1, *each.shape[1:])
                for each in card.inputs
            }
    except (OverflowError, FloatingPointError) as error:
        raise BadInput("A number is too large for its datatype.") from error


def schema(lane: Lane, *, lenient: bool = False) -> type[BaseModel]:
    """The same as `fields`, made once for a version."""
    made: dict[bool, type[BaseModel]] = lane.extras.setdefault("plain", {})
    if lenient not in made:
        made[lenient] = fields(lane.card, lenient=lenient)
    return made[lenient]


def fields(card: Card, *, lenient: bool = False) -> type[BaseModel]:
    """The body that a card describes, as a Pydantic model. Raises NotPlain."""
    taken = any(each.name.startswith("_") or hasattr(BaseModel, each.name) for each in card.inputs)
    if taken or not card.batched or any(width(each) is None for each in card.inputs):
        raise NotPlain("Ask it by the Open Inference Protocol, at /v2.")
    members: dict[str, Any] = {each.name: (_kind(each), _described(each)) for each in card.inputs}
    return create_model("Row", __base__=Lenient if lenient else Strict, **members)


def width(each: Input) -> int | None:
    """How many values a row has: 1, or n for a vector; None for anything that is no plain field."""
    match each.shape[1:]:
        case [] | [1]:
            return 1
        case [int(size)] if size > 0:
            return size
    return None


def _kind(each: Input) -> Any:  # noqa: ANN401  a type that is made
    kind: Any = Literal[tuple(each.categories)] if each.categories else PYTHON[NUMPY[each.datatype].kind]
    if NUMPY[each.datatype].kind == "f":
        kind = Annotated[kind, Field(allow_inf_nan=False)]
    low, high = each.minimum, each.maximum
    kind = Annotated[kind, Field(ge=low, le=high)] if not each.categories and (low, high) != (None, None) else kind
    size = width(each)
    return kind if size == 1 else Annotated[list[kind], Field(min_length=size, max_length=size)]


def _described(each: Input) -> Any:  # noqa: ANN401
    return Field(description=". ".join(part for part in (each.description, each.unit and f"In {each.unit}") if part))
