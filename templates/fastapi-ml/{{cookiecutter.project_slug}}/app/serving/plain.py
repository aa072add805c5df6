"""Predictions by plain JSON: a member per input, checked and described by the model's own card."""

import time
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from app.inference.cards import Card, Input
from app.inference.tensors import NUMPY
from app.keys.permissions import Predictor
from app.problems import Problem
from app.serving.bodies import body
from app.serving.predict import predict
from app.serving.shelf import Shelf
from app.state import AppState

router = APIRouter(prefix="/models", tags=["predictions"])
PYTHON: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "O": str}


class NotPlain(Problem):
    """The model takes tensors that are no fields."""

    status = 404


class Predicted(BaseModel):
    """What was foretold, and by which version."""

    model: str
    version: int
    outputs: dict[str, Any]


class Strict(BaseModel):
    """A body in which a number is no string and an unknown member is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid")


@router.post("/{name}/predict")
async def predict_plainly(name: str, request: Request, state: AppState, holder: Predictor) -> Predicted:
    """Predict for one row: `{"carrier": "UA", …}`, with the members that the model's card names."""
    began = time.perf_counter()
    lane = await state["shelf"].lane(name)
    row = parse(lane.card, await body(request))
    outputs = await predict(request, state, holder, lane, tensors(lane.card, row), began=began)
    return Predicted(
        model=lane.name, version=lane.number, outputs={name: array[0].tolist() for name, array in outputs.items()}
    )


def parse(card: Card, content: bytes | dict[str, Any]) -> dict[str, Any]:
    """The members of a body, checked. Raises RequestValidationError as FastAPI does for its own, or NotPlain."""
    schema = fields(card.model_dump_json())
    try:
        row = (
            schema.model_validate(content, strict=False)
            if isinstance(content, dict)
            else schema.model_validate_json(content)
        )
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([fault | {"loc": ("body", *fault["loc"])} for fault in faults]) from error
    return row.model_dump()


def tensors(card: Card, row: dict[str, Any]) -> dict[str, Any]:
    """The members as tensors of one row."""
    return {
        each.name: np.array(row[each.name], NUMPY[each.datatype]).reshape([1, *each.shape[1:]]) for each in card.inputs
    }


@lru_cache(maxsize=64)
def fields(card: str) -> type[BaseModel]:
    """The body that a card describes, as a Pydantic model. Raises NotPlain."""
    known = Card.model_validate_json(card)
    if not known.batched or any(each.width is None for each in known.inputs):
        raise NotPlain("Ask it by the Open Inference Protocol, at /v2.")
    members: dict[str, Any] = {each.name: (_kind(each), _described(each)) for each in known.inputs}
    return create_model("Row", __base__=Strict, **members)


def _kind(each: Input) -> Any:  # noqa: ANN401  a type that is made
    kind: Any = Literal[tuple(each.categories)] if each.categories else PYTHON[NUMPY[each.datatype].kind]
    if NUMPY[each.datatype].kind == "f":
        kind = Annotated[kind, Field(allow_inf_nan=False)]
    low, high = each.minimum, each.maximum
    kind = Annotated[kind, Field(ge=low, le=high)] if not each.categories and (low, high) != (None, None) else kind
    return kind if each.width == 1 else Annotated[list[kind], Field(min_length=each.width, max_length=each.width)]


def _described(each: Input) -> Any:  # noqa: ANN401
    return Field(description=". ".join(part for part in (each.description, each.unit and f"In {each.unit}") if part))


def openapi(shelf: Shelf) -> dict[str, Any]:
    """The route of each model that is served, with the members that it takes, as paths of OpenAPI."""
    paths = {}
    for name, shelved in shelf.models.items():
        if not shelved.served or shelved.lane is None:
            continue
        card = shelved.lane.card
        try:
            schema = fields(card.model_dump_json()).model_json_schema()
        except NotPlain:
            continue
        body_ = {"required": True, "content": {"application/json": {"schema": schema}}}
        paths[f"/api/v1/models/{name}/predict"] = {
            "post": {
                "tags": ["predictions"],
                "summary": f"Ask {name}",
                "description": card.description,
                "operationId": f"predict_{name}",
                "requestBody": body_,
                "responses": {
                    "200": {
                        "description": "What was foretold",
                        "content": {"application/json": {"schema": Predicted.model_json_schema()}},
                    }
                },
            }
        }
    return paths
