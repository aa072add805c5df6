"""Signing in and out."""

from fastapi import APIRouter, Request, Response

from app.accounts import services
from app.accounts.permissions import MaybeCaller, SignedIn, cookie_name, from_our_pages
from app.accounts.schemas import Person, SignIn
from app.accounts.services import Caller
from app.state import AppState, State

router = APIRouter(tags=["accounts"])


@router.post("/session", status_code=201)
async def sign_in(body: SignIn, request: Request, response: Response, state: AppState) -> Person:
    """Sign in. The answer sets a cookie that no script can read."""
    caller = await open_session(request, response, state, **body.model_dump())
    return Person(id=caller.user_id, name=caller.name)


async def open_session(request: Request, response: Response, state: State, *, name: str, password: str) -> Caller:
    """Sign in and put the cookie on the answer; the session of the cookie before ends. Raises CrossSiteRequest too."""
    from_our_pages(request)
    settings, address = state["settings"], request.client.host if request.client else ""
    cookie, lasts = cookie_name(settings), int(services.BROWSER_SESSION.total_seconds())
    caller, secret = await services.sign_in(
        state["database"],
        key=settings.secret_key,
        address=address,
        replaces=request.cookies.get(cookie),
        name=name,
        password=password,
    )
    response.set_cookie(cookie, secret, lasts, secure=settings.production, httponly=True, samesite="lax")
    return caller


@router.get("/session")
async def who_am_i(caller: SignedIn) -> Person:
    """Who is signed in."""
    return Person(id=caller.user_id, name=caller.name)


@router.delete("/session", status_code=204)
async def sign_out(response: Response, state: AppState, caller: MaybeCaller) -> None:
    """Sign out. The session ends on the server."""
    if caller:
        await services.sign_out(state["database"], session_id=caller.session_id)
    settings = state["settings"]
    response.delete_cookie(cookie_name(settings), secure=settings.production, httponly=True, samesite="lax")
