"""The pages for people. They hold no data: the scripts fetch it, with the cookie of whoever is signed in."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.templating import Jinja2Templates

from app.accounts.permissions import MaybeCaller
from app.extras import all_extras

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(Path(__file__).parent / "templates")


@router.get("/")
async def home(request: Request, caller: MaybeCaller) -> Response:
    """The rooms; who is not signed in sees the way in."""
    page = "rooms.html" if caller else "sign_in.html"
    static = [(name, extra.static) for name, extra in all_extras().items() if extra.static]
    files = [f"/static/{name}/{file.name}" for name, folder in static for file in sorted(folder.iterdir())]
    shown = {"caller": caller, "files": files}
    # Another person's page, or one's own from before signing out, must not come from a cache.
    return templates.TemplateResponse(request, page, shown, headers={"Cache-Control": "no-store"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The HTTP API, to read and to try."""
    return templates.TemplateResponse(request, "docs.html")
