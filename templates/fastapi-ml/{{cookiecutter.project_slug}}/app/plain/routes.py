"""Predictions by plain JSON over HTTP, described in OpenAPI for each model that is served."""

import time
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from app.keys.permissions import predictor
from app.plain.errors import NotPlain
from app.plain.services import parse, schema, tensors
from app.serving.bodies import body
from app.serving.predict import predict
from app.serving.routes import short_cut
from app.serving.shelf import Shelf
from app.state import state_of


class Predicted(BaseModel):
    """What was foretold, and by which version."""

    model: str
    version: int
    outputs: dict[str, Any]


async def predict_plainly(request: Request) -> Response:
    """Predict for one row, `{"carrier": "UA", …}`, with the members that the model's card names."""
    began = time.perf_counter()
    state, holder = await state_of(request), await predictor(request)
    lane = await state["shelf"].lane(request.path_params["name"], choose=True)
    row = parse(lane, await body(request))
    outputs = await predict(request, state, holder, lane, tensors(lane.card, row), began=began)
    said = {output: array[0].tolist() for output, array in outputs.items()}
    predicted = Predicted(model=lane.name, version=lane.number, outputs=said)
    return Response(predicted.model_dump_json(), media_type="application/json")


route = short_cut("/api/v1/models/{name}/predict", predict_plainly)


def openapi(shelf: Shelf) -> dict[str, Any]:
    """The route of each model that is served, with the members that it takes, as paths of OpenAPI."""
    paths = {}
    for name, shelved in shelf.models.items():
        if not shelved.served or shelved.lane is None:
            continue
        try:
            described = schema(shelved.lane).model_json_schema()
        except NotPlain:
            continue
        body_ = {"required": True, "content": {"application/json": {"schema": described}}}
        paths[f"/api/v1/models/{name}/predict"] = {
            "post": {
                "tags": ["predictions"],
                "summary": f"Ask {name}",
                "description": shelved.lane.card.description,
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
