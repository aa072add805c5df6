"""The rules of messages: saying, editing and deleting something once, and reading what was said."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.broker import Broker, Hint
from app.database import Database, now
from app.messages.errors import AuthorsOnly, ClientIdReused, MessageNotFound
from app.rooms import log
from app.rooms.models import Event
from app.rooms.permissions import require_member


async def publish(
    database: Database, broker: Broker, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, body: str
) -> Event:
    """Say something, once: the same `client_id` again gives the message that is there already.

    The message is committed when this returns. Raises RoomNotFound, or ClientIdReused when the words are others.
    """
    event = Event(room_id=room_id, kind="message", actor_id=actor_id, client_id=client_id, body=body)
    return await _once(database, broker, event)


async def edit(
    database: Database,
    broker: Broker,
    *,
    room_id: uuid.UUID,
    actor_id: uuid.UUID,
    client_id: str,
    target: int,
    body: str,
) -> Event:
    """Give a message of one's own other words, once.

    Raises RoomNotFound, MessageNotFound, AuthorsOnly or ClientIdReused.
    """

    async def change(session: AsyncSession) -> None:
        message = await _message(session, room_id, target)
        if message.actor_id != actor_id:
            raise AuthorsOnly("Answer it instead.")
        message.body, message.edited_at = body, now()

    event = Event(room_id=room_id, kind="edited", actor_id=actor_id, client_id=client_id, target=target, body=body)
    return await _once(database, broker, event, change)


async def delete(
    database: Database, broker: Broker, *, room_id: uuid.UUID, actor_id: uuid.UUID, client_id: str, target: int
) -> Event:
    """Delete a message: one's own, or as an owner of the room anybody's. Its words go, in all their versions.

    Raises RoomNotFound, MessageNotFound, AuthorsOnly or ClientIdReused.
    """

    async def change(session: AsyncSession) -> None:
        message = await _message(session, room_id, target)
        member = await require_member(session, room_id=room_id, user_id=actor_id)
        if actor_id != message.actor_id and member.role != "owner":
            raise AuthorsOnly("An owner of the room can delete it too.")
        versions = or_(Event.seq == target, Event.target == target) & (Event.kind != "deleted")
        await session.execute(update(Event).where(Event.room_id == room_id, versions).values(body="", edited_at=now()))

    event = Event(room_id=room_id, kind="deleted", actor_id=actor_id, client_id=client_id, target=target)
    return await _once(database, broker, event, change)


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


async def _message(session: AsyncSession, room_id: uuid.UUID, seq: int) -> Event:
    query = select(Event).where(Event.room_id == room_id, Event.seq == seq, Event.kind == "message", Event.body != "")
    message = await session.scalar(query)
    if message is None:
        raise MessageNotFound("It was deleted, or never said.")
    return message


async def _once(
    database: Database, broker: Broker, event: Event, change: Callable[[AsyncSession], Awaitable[None]] | None = None
) -> Event:
    """Append the event and make its change, or give the event that its sender's client id has already."""
    event.subject = None  # known, and not to be asked for
    try:
        async with database.write() as session:
            await log.append(session, event)
            if change:
                await change(session)
    except IntegrityError:
        # Rolled back, its number with it. Asking first would cost every message a question for the sake of a few.
        return await _said_before(database, event)
    broker.announce(Hint("room", event.room_id, event=event))
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
