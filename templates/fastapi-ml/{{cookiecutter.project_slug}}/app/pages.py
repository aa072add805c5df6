"""The pages for people: what is served, how good it is, and how fast."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.templating import Jinja2Templates

from app.extras import all_extras
from app.registry import services as registry
from app.state import AppState, State

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates([Path(__file__).parent / "templates", *Path(__file__).parent.glob("*/templates")])
templates.env.globals["pages"] = lambda: [page for extra in all_extras().values() for page in extra.pages]


@router.get("/")
async def home(request: Request, state: AppState) -> Response:
    """The models, their versions, and how each primary one is doing."""
    shown = [
        {"name": name, "versions": await registry.versions(state["database"], name=name), "live": _live(state, name)}
        for name in state["shelf"].models
    ]
    return templates.TemplateResponse(request, "home.html", {"models": shown}, headers={"Cache-Control": "no-store"})


@router.get("/live")
async def live(state: AppState) -> dict[str, dict[str, Any]]:
    """How each primary version is doing in the process that answers, for the page's script."""
    return {name: _live(state, name) for name in state["shelf"].models}


def _live(state: State, name: str) -> dict[str, Any]:
    shelved = state["shelf"].models[name]
    if shelved.lane is None or not shelved.served:
        return {"version": None}
    lane, numbers = shelved.lane, shelved.lane.numbers
    half, most = ((seconds or 0) * 1000 for seconds in (numbers.percentile(0.5), numbers.percentile(0.99)))
    return {"version": lane.number, "answered": numbers.success, "half": half, "most": most, "waiting": lane.depth}


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The HTTP API, to read and to try."""
    return templates.TemplateResponse(request, "docs.html")
