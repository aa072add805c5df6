"""The rules of edits: an edit is an event of its own, and changes the message's row too."""

import uuid

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, now
from app.edits.errors import AuthorsOnly, MessageNotFound
from app.messages.services import append_once
from app.rooms.models import Event
from app.rooms.permissions import require_member


async def edit(
    database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, target: int, body: str = ""
) -> Event:
    """Give a message of one's own other words, once; or none: then it is deleted, its words in all their versions.

    An owner of the room can delete anybody's. Raises RoomNotFound, MessageNotFound, AuthorsOnly or ClientIdReused.
    """

    async def change(session: AsyncSession) -> None:
        member = await require_member(session, room_id=room_id, user_id=actor_id)
        said = (Event.room_id == room_id, Event.seq == target, Event.kind == "message", Event.body != "")
        message = await session.scalar(select(Event).where(*said))
        if message is None:
            raise MessageNotFound("It was deleted, or never said.")
        if actor_id != message.actor_id and (body or member.role != "owner"):
            raise AuthorsOnly("An owner of the room can delete it too.")
        words = Event.seq == target if body else or_(Event.seq == target, Event.target == target)
        edited = update(Event).where(Event.room_id == room_id, words, Event.kind != "deleted")
        await session.execute(edited.values(body=body, edited_at=now()))

    kind = "edited" if body else "deleted"
    event = Event(room_id=room_id, kind=kind, actor_id=actor_id, client_id=client_id, target=target, body=body or None)
    return await append_once(database, event, change)
