"""The pages for people: how to begin, and the API to read and to try. They are files: nothing in them changes."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse

router = APIRouter(include_in_schema=False)
TEMPLATES = Path(__file__).parent / "templates"


@router.get("/")
async def home() -> FileResponse:
    """What this is, and how to make the first call."""
    return FileResponse(TEMPLATES / "home.html")


@router.get("/docs")
async def docs() -> FileResponse:
    """The HTTP API, to read and to try."""
    return FileResponse(TEMPLATES / "docs.html")
