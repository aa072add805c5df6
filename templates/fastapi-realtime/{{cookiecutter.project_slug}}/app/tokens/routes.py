"""Tokens for programs, over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from app.accounts.permissions import SignedIn
from app.pagination import Cursor, Limit, Page, decode, page
from app.state import AppState
from app.tokens import services
from app.tokens.permissions import InABrowser
from app.tokens.schemas import CreatedToken, NewToken, Token

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])

Made = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC))]  # further back some zones have no UTC


@router.post("", status_code=201)
async def create_token(body: NewToken, state: AppState, caller: InABrowser) -> CreatedToken:
    """Make a token for a program. Its secret is in this answer and nowhere else."""
    token, secret = await services.create_token(
        state["database"],
        key=state["settings"].secret_key,
        user_id=caller.user_id,
        label=body.label,
        lasts=timedelta(days=body.days),
    )
    return CreatedToken(**Token.model_validate(token).model_dump(), secret=secret)


@router.get("")
async def list_tokens(state: AppState, caller: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[Token]:
    """My tokens, newest first, without their secrets."""
    before = decode(cursor, Made, uuid.UUID)
    rows = await services.tokens_of(state["database"], user_id=caller.user_id, before=before, limit=limit + 1)
    return page(rows, limit, item=Token.model_validate, key=lambda row: (row.created_at, row.id))


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: uuid.UUID, state: AppState, caller: InABrowser) -> None:
    """Revoke a token. Sockets that were opened with it are closed."""
    await services.revoke_token(state["database"], user_id=caller.user_id, token_id=token_id)
