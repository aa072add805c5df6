"""Edits: changing and deleting what was said, as further events of the same log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.edits.routes import router
from app.edits.schemas import Delete, Edit
from app.edits.services import edit
from app.extras import Extra
from app.live.reader import Reader
from app.live.schemas import Ack
from app.messages.schemas import Receipt
from app.state import State


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Let sockets edit and delete."""

    async def handle(reader: Reader, message: Edit | Delete) -> Ack:
        what = message.model_dump(exclude={"v", "type", "room"})
        event = await edit(state["database"], room_id=message.room, actor_id=reader.caller.user_id, **what)
        return Ack(room=message.room, receipt=Receipt.model_validate(event))

    state["hub"].handlers |= {Edit: handle, Delete: handle}
    yield


extra = Extra(router=router, lifespan=lifespan, static=Path(__file__).parent / "static")
