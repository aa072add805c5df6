"""The page of the staff: signing in, promoting, rolling back. Plain forms: it works without scripts."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from app.accounts import services
from app.accounts.permissions import MaybeCaller, SignedIn, cookie_name
from app.accounts.routes import open_session
from app.accounts.schemas import SignIn
from app.accounts.services import Caller
from app.pages import templates
from app.problems import Problem
from app.registry import services as registry
from app.state import AppState, State

router = APIRouter(prefix="/staff", include_in_schema=False)
WELL = 200


@router.get("")
async def staff(request: Request, state: AppState, caller: MaybeCaller) -> Response:
    """What is served, to be changed; who is not signed in sees the way in."""
    return await show(request, state, caller)


@router.post("/sign-in")
async def sign_in(request: Request, state: AppState) -> Response:
    """Sign in by form."""
    try:
        body = SignIn.model_validate(await form(request))
        response = RedirectResponse("/staff", 303)
        await open_session(request, response, state, name=body.name, password=body.password)
    except ValidationError:
        return await show(request, state, None, said="Write your name and your password.", status=422)
    except Problem as problem:
        return await show(request, state, None, said=sentence(problem), status=problem.status)
    return response


@router.post("/sign-out")
async def sign_out(state: AppState, caller: MaybeCaller) -> Response:
    """Sign out by form. The session ends on the server."""
    if caller:
        await services.sign_out(state["database"], session_id=caller.session_id)
    response = RedirectResponse("/staff", 303)
    response.delete_cookie(cookie_name(state["settings"]), secure=state["settings"].production, httponly=True)
    return response


@router.post("/{name}/promote")
async def promote(name: str, request: Request, state: AppState, caller: SignedIn) -> Response:
    """Promote the version of the button, if nobody changed anything since the page was loaded."""
    said = await form(request)

    async def change() -> None:
        number, generation = _number(said, "version"), _number(said, "generation")
        await registry.promote(
            state["database"], state["files"], name=name, number=number, by=caller.name, generation=generation
        )

    return await _changed(request, state, caller, change)


@router.post("/{name}/roll-back")
async def roll_back(name: str, request: Request, state: AppState, caller: SignedIn) -> Response:
    """Roll back, if nobody changed anything since the page was loaded."""
    generation = _number(await form(request), "generation")

    async def change() -> None:
        await registry.roll_back(state["database"], state["files"], name=name, by=caller.name, generation=generation)

    return await _changed(request, state, caller, change)


async def _changed(request: Request, state: State, caller: Caller, change: Callable[[], Awaitable[None]]) -> Response:
    try:
        await change()
    except Problem as problem:
        return await show(request, state, caller, said=sentence(problem), status=problem.status)
    await state["shelf"].refresh()
    return RedirectResponse("/staff", 303)


async def show(
    request: Request, state: State, caller: Caller | None, *, said: str = "", status: int = WELL
) -> Response:
    """The page, with a sentence when something was refused."""
    rows = await registry.primaries(state["database"]) if caller else []
    models = [(row.name, row.generation, await registry.versions(state["database"], name=row.name)) for row in rows]
    shown = {"caller": caller, "models": models, "said": said}
    # Another person's page, or one's own from before signing out, must not come from a cache.
    return templates.TemplateResponse(request, "staff.html", shown, status, {"Cache-Control": "no-store"})


async def form(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it."""
    return dict(parse_qsl((await request.body()).decode(errors="replace"), max_num_fields=300))


def sentence(problem: Problem) -> str:
    """What a problem says, for a page."""
    return f"{problem.as_dict()['title']}. {problem.detail}"


def _number(said: dict[str, str], name: str) -> int:
    text = said.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1  # noqa: PLR2004
