"""Signing in and out."""

from fastapi import APIRouter, Request, Response

from app.accounts import services
from app.accounts.permissions import MaybeCaller, SignedIn, cookie_name
from app.accounts.schemas import Person, SignIn
from app.state import AppState

router = APIRouter(tags=["accounts"])


@router.post("/session", status_code=201)
async def sign_in(body: SignIn, request: Request, response: Response, state: AppState) -> Person:
    """Sign in. The answer sets a cookie that no script can read."""
    settings, address = state["settings"], request.client.host if request.client else ""
    name, lasts = cookie_name(settings), int(services.BROWSER_SESSION.total_seconds())
    replaces = request.cookies.get(name)
    caller, secret = await services.sign_in(
        state["database"], key=settings.secret_key, address=address, replaces=replaces, **body.model_dump()
    )
    response.set_cookie(name, secret, lasts, secure=settings.production, httponly=True, samesite="lax")
    return Person(id=caller.user_id, name=caller.name)


@router.get("/session")
async def who_am_i(caller: SignedIn) -> Person:
    """Who is signed in."""
    return Person(id=caller.user_id, name=caller.name)


@router.delete("/session", status_code=204)
async def sign_out(response: Response, state: AppState, caller: MaybeCaller) -> None:
    """Sign out. The session ends on the server, and the sockets that it opened are closed."""
    if caller:
        await services.sign_out(state["database"], session_id=caller.session_id)
    settings = state["settings"]
    response.delete_cookie(cookie_name(settings), secure=settings.production, httponly=True, samesite="lax")
