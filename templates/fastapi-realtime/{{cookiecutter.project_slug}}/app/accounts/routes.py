"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.accounts import services
from app.accounts.permissions import SignedIn, caller_or_nobody, cookie_name
from app.accounts.schemas import SignedInUser, SignIn
from app.state import AppState

router = APIRouter(tags=["accounts"])


@router.post("/session", status_code=201)
async def sign_in(body: SignIn, request: Request, response: Response, state: AppState) -> SignedInUser:
    """Sign in. The answer sets a cookie that no script can read."""
    settings = state["settings"]
    name = cookie_name(settings)
    caller, secret = await services.sign_in(
        state["database"],
        key=settings.secret_key,
        name=body.name,
        password=body.password,
        address=request.client.host if request.client else "",
        replaces=request.cookies.get(name),
    )
    response.set_cookie(
        name,
        secret,
        max_age=int(services.BROWSER_SESSION.total_seconds()),
        secure=settings.production,
        httponly=True,
        samesite="lax",
    )
    return SignedInUser(id=caller.user_id, name=caller.name)


@router.get("/session")
async def who_am_i(caller: SignedIn) -> SignedInUser:
    """Who is signed in."""
    return SignedInUser(id=caller.user_id, name=caller.name)


@router.delete("/session", status_code=204)
async def sign_out(
    response: Response, state: AppState, caller: Annotated[services.Caller | None, Depends(caller_or_nobody)]
) -> None:
    """Sign out. The session ends on the server, and the sockets that it opened are closed."""
    if caller:
        await services.sign_out(state["database"], state["broker"], session_id=caller.session_id)
    settings = state["settings"]
    response.delete_cookie(cookie_name(settings), secure=settings.production, httponly=True, samesite="lax")
