"""Edits over HTTP."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.accounts.permissions import SignedIn
from app.edits import services
from app.messages.schemas import ClientId, NewMessage, Receipt
from app.state import AppState

router = APIRouter(prefix="/api/v1/rooms/{room_id}/messages", tags=["messages"])

Target = Annotated[int, Path(ge=1, lt=2**31)]


@router.patch("/{seq}")
async def edit(room_id: uuid.UUID, seq: Target, body: NewMessage, state: AppState, caller: SignedIn) -> Receipt:
    """Give a message of mine other words. An edit is an event too: it has its own number, and its own `client_id`."""
    edited = await services.edit(
        state["database"], room_id=room_id, actor_id=caller.user_id, target=seq, **body.model_dump()
    )
    return Receipt.model_validate(edited)


@router.delete("/{seq}")
async def delete(
    room_id: uuid.UUID, seq: Target, state: AppState, caller: SignedIn, client_id: Annotated[ClientId, Query()]
) -> Receipt:
    """Delete a message of mine, or as an owner of the room anybody's."""
    deleted = await services.edit(
        state["database"], room_id=room_id, actor_id=caller.user_id, target=seq, client_id=client_id
    )
    return Receipt.model_validate(deleted)
