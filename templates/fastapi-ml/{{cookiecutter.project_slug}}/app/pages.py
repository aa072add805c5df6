"""The pages for people."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.templating import Jinja2Templates

from app.accounts.permissions import MaybeCaller

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(Path(__file__).parent / "templates")


@router.get("/")
async def home(request: Request, caller: MaybeCaller) -> Response:
    """The models; who is not signed in sees the way in."""
    return templates.TemplateResponse(request, "sign_in.html", {"caller": caller}, headers={"Cache-Control": "no-store"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The HTTP API, to read and to try."""
    return templates.TemplateResponse(request, "docs.html")
