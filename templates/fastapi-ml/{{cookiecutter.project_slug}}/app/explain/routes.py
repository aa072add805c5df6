"""Explanations over HTTP."""

from typing import Any

from fastapi import APIRouter, Request

from app.explain.services import explain
from app.keys.permissions import Predictor
from app.serving import bodies
from app.serving.predict import complete
from app.serving.routes import MODEL, VERSION, ThisLane
from app.state import AppState

router = APIRouter(prefix="/v2", tags=["explanations"], max_body_size=bodies.LONGEST)


@router.post(f"{MODEL}/explain")
@router.post(f"{VERSION}/explain")
async def explain_(request: Request, state: AppState, _: Predictor, lane: ThisLane) -> dict[str, Any]:
    """What each input contributed to the prediction for one row; the body is that of `infer`."""
    asked, tensors = await bodies.read(request)
    complete(lane.card, tensors)
    found = await explain(lane, tensors, seconds=state["settings"].deadline_seconds)
    return {"model_name": lane.name, "model_version": str(lane.number), "id": asked.id, "contributions": found}
