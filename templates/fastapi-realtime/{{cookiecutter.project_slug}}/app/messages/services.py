"""The rules of messages: saying something once, and reading what was said."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.messages.errors import ClientIdReused
from app.rooms import log
from app.rooms.models import Event
from app.rooms.permissions import require_member


async def publish(database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, body: str) -> Event:
    """Say something, once: the same `client_id` again gives the message that is there already.

    The message is committed when this returns. Raises RoomNotFound, or ClientIdReused when the words are others.
    """
    event = Event(room_id=room_id, kind="message", actor_id=actor_id, client_id=client_id, body=body)
    return await append_once(database, event)


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


async def append_once(
    database: Database, event: Event, change: Callable[[AsyncSession], Awaitable[None]] | None = None
) -> Event:
    """Append the event and make its change, or give the event that its sender's client id has already.

    Raises RoomNotFound, ClientIdReused, or what the change raises: then nothing has happened.
    """
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
