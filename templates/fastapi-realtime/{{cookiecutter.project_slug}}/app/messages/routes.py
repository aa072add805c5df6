"""Messages over HTTP: what was said, and saying something without a socket."""

import uuid

from fastapi import APIRouter

from app.accounts.permissions import SignedIn
from app.messages import services
from app.messages.schemas import Event, NewMessage, Receipt
from app.pagination import Cursor, Limit, Number, Page, decode, page
from app.state import AppState

router = APIRouter(prefix="/rooms/{room_id}/messages", tags=["messages"])


@router.get("")
async def history(
    room_id: uuid.UUID, state: AppState, caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Page[Event]:
    """What happened in the room, newest first."""
    (before,) = decode(cursor, Number) or (None,)
    rows = await services.history(
        state["database"], room_id=room_id, user_id=caller.user_id, before=before, limit=limit + 1
    )
    return page(rows, limit, item=Event.model_validate, key=lambda row: (row.seq,))


@router.post("", status_code=201)
async def publish(room_id: uuid.UUID, body: NewMessage, state: AppState, caller: SignedIn) -> Receipt:
    """Say something. Sent again with the same `client_id`, it is said once."""
    said = await services.publish(state["database"], room_id=room_id, actor_id=caller.user_id, **body.model_dump())
    return Receipt.model_validate(said)
