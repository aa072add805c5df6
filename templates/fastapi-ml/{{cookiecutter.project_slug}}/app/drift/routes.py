"""Drift over HTTP, and as a page with a plot for each input."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from app.drift.services import drift
from app.drift.statistics import Drift
from app.keys.permissions import MaybeHolder, Predictor
from app.pages import templates
from app.state import AppState

router = APIRouter(tags=["drift"])
FOUND = TypeAdapter(list[Drift])


@router.get("/api/v1/models/{name}/drift")
async def get_drift(name: str, state: AppState, _: Predictor) -> list[dict[str, Any]]:
    """What the primary version was asked in the last day, beside what it learned from."""
    lane = await state["shelf"].lane(name)
    found = await drift(state["database"], name=name, number=lane.number, card=lane.card)
    return list(FOUND.dump_python(found, mode="json"))


@router.get("/drift", include_in_schema=False)
async def page(request: Request, state: AppState, holder: MaybeHolder) -> Response:
    """The same, to look at."""
    shown = {}
    for name, shelved in state["shelf"].models.items() if holder else ():
        if lane := shelved.lane:
            shown[name] = await drift(state["database"], name=name, number=lane.number, card=lane.card)
    status = 200 if holder else 401
    context = {"holder": holder, "models": shown}
    return templates.TemplateResponse(request, "drift.html", context, status, {"Cache-Control": "no-store"})
