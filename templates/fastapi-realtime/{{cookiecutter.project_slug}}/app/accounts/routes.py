"""Signing in and out, and tokens for programs."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.accounts import services
from app.accounts.permissions import InABrowser, SignedIn, caller_or_nobody, cookie_name
from app.accounts.schemas import CreatedToken, NewToken, SignedInUser, SignIn, Token
from app.pagination import Cursor, InvalidCursor, Limit, Page, decode, page
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


@router.post("/tokens", status_code=201)
async def create_token(body: NewToken, state: AppState, caller: InABrowser) -> CreatedToken:
    """Make a token for a program. Its secret is in this answer and nowhere else."""
    token, secret = await services.create_token(
        state["database"],
        key=state["settings"].secret_key,
        user_id=caller.user_id,
        label=body.label,
        lasts=timedelta(days=body.days),
    )
    return CreatedToken(**Token.of(token).model_dump(), secret=secret)


@router.get("/tokens")
async def list_tokens(state: AppState, caller: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[Token]:
    """My tokens, newest first, without their secrets."""
    key = decode(cursor, str, str)
    try:
        before = (datetime.fromisoformat(key[0]).astimezone(UTC), uuid.UUID(key[1])) if key else None
    except (ValueError, OverflowError) as error:
        raise InvalidCursor("Leave the cursor out to begin with the first page.") from error
    rows = await services.tokens_of(state["database"], user_id=caller.user_id, before=before, limit=limit + 1)
    return page(rows, limit, item=Token.of, key=lambda row: (row.created_at.isoformat(), str(row.id)))


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_token(token_id: uuid.UUID, state: AppState, caller: InABrowser) -> None:
    """Revoke a token. Sockets that were opened with it are closed."""
    await services.revoke_token(state["database"], state["broker"], user_id=caller.user_id, token_id=token_id)
