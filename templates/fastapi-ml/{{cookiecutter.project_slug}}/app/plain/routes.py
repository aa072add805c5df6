"""Predictions by plain JSON over HTTP, described in OpenAPI for each model that is served."""

import time
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.keys.permissions import Predictor
from app.plain.errors import NotPlain
from app.plain.services import fields, parse, tensors
from app.serving.bodies import body
from app.serving.predict import predict
from app.serving.shelf import Shelf
from app.state import AppState

router = APIRouter(prefix="/api/v1/models", tags=["predictions"])


class Predicted(BaseModel):
    """What was foretold, and by which version."""

    model: str
    version: int
    outputs: dict[str, Any]


@router.post("/{name}/predict")
async def predict_plainly(name: str, request: Request, state: AppState, holder: Predictor) -> Predicted:
    """Predict for one row, `{"carrier": "UA", …}`, with the members that the model's card names."""
    began = time.perf_counter()
    lane = await state["shelf"].lane(name, choose=True)
    row = parse(lane.card, await body(request))
    outputs = await predict(request, state, holder, lane, tensors(lane.card, row), began=began)
    said = {output: array[0].tolist() for output, array in outputs.items()}
    return Predicted(model=lane.name, version=lane.number, outputs=said)


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
