"""The rules of messages: saying, editing and deleting something once, and reading what was said."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, now
from app.messages.errors import AuthorsOnly, ClientIdReused, MessageNotFound
from app.rooms import log
from app.rooms.models import Event
from app.rooms.permissions import require_member


async def publish(database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, body: str) -> Event:
    """Say something, once: the same `client_id` again gives the message that is there already.

    The message is committed when this returns. Raises RoomNotFound, or ClientIdReused when the words are others.
    """
    event = Event(room_id=room_id, kind="message", actor_id=actor_id, client_id=client_id, body=body)
    return await _once(database, event)


async def edit(
    database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, target: int, body: str = ""
) -> Event:
    """Give a message of one's own other words, once; or none: then it is deleted, its words in all their versions.

    An owner of the room can delete anybody's. Raises RoomNotFound, MessageNotFound, AuthorsOnly or ClientIdReused.
    """

    async def change(session: AsyncSession) -> None:
        member = await require_member(session, room_id=room_id, user_id=actor_id)
        mine = (Event.room_id == room_id, Event.seq == target, Event.kind == "message", Event.body != "")
        message = await session.scalar(select(Event).where(*mine))
        if message is None:
            raise MessageNotFound("It was deleted, or never said.")
        if actor_id != message.actor_id and (body or member.role != "owner"):
            raise AuthorsOnly("An owner of the room can delete it too.")
        words = Event.seq == target if body else or_(Event.seq == target, Event.target == target)
        edited = update(Event).where(Event.room_id == room_id, words, Event.kind != "deleted")
        await session.execute(edited.values(body=body, edited_at=now()))

    kind = "edited" if body else "deleted"
    event = Event(room_id=room_id, kind=kind, actor_id=actor_id, client_id=client_id, target=target, body=body or None)
    return await _once(database, event, change)


async def history(
    database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID, before: int | None, limit: int
) -> Sequence[Event]:
    """What happened in a room, newest first. Raises RoomNotFound."""
    query = log.events_of(room_id).order_by(Event.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(Event.seq < before)
    async with database.read() as session:
        await require_member(session, room_id=room_id, user_id=user_id)
        return (await session.scalars(query)).all()


async def _once(
    database: Database, event: Event, change: Callable[[AsyncSession], Awaitable[None]] | None = None
) -> Event:
    """Append the event and make its change, or give the event that its sender's client id has already."""
    try:
        async with database.write() as session:
            await log.append(session, event)
            if change:
                await change(session)
    except IntegrityError:
        # Rolled back, its number with it. Asking first would cost every message a question for the sake of a few.
        return await _said_before(database, event)
    return event


async def _said_before(database: Database, event: Event) -> Event:
    same = (Event.room_id == event.room_id, Event.actor_id == event.actor_id, Event.client_id == event.client_id)
    async with database.read() as session:
        found = (await session.scalars(select(Event).where(*same))).one()
    # What has been edited or deleted since cannot be compared.
    body = event.body if found.edited_at else found.body
    if (found.kind, found.target, body) != (event.kind, event.target, event.body):
        raise ClientIdReused("Make a new client id for each message.")
    return found
