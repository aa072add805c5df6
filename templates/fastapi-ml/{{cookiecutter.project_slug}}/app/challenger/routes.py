"""How a challenger does, over HTTP."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from app.challenger import services
from app.keys.permissions import Predictor
from app.state import AppState

router = APIRouter(prefix="/api/v1/models", tags=["challengers"])


@router.get("/{name}/challenger")
async def get_challenger(name: str, state: AppState, _: Predictor) -> dict[str, Any]:
    """Who challenges the primary version, and how it did since then, over all processes."""
    found, tally = await services.compared(state["database"], name=name)
    return {"version": found.number, "mode": found.mode, "share": found.share, "since": found.since, **asdict(tally)}
