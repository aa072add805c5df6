"""The log of a room: numbers without a gap, given in the order of commits."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.broker import Hint
from app.database import Database, after_commit
from app.rooms.errors import RoomNotFound
from app.rooms.models import Event, Member, Room

# Made once, for what is asked with every message and every subscription: to put one together costs as much as to ask.
NEXT = update(Room).where(Room.id == bindparam("room_id")).values(seq=Room.seq + 1).returning(Room.seq)
IN_ROOM = (Member.room_id == bindparam("room_id"), Member.user_id == bindparam("user_id"))
ACTOR = select(User).join(Member).where(*IN_ROOM)
POSITION = select(Room.pruned, Room.seq, Room.epoch).join_from(Room, Member).where(*IN_ROOM)


async def append(session: AsyncSession, event: Event) -> None:
    """Add an event of one of the room's members; it gets the next number. Raises RoomNotFound for anybody else.

    The update locks the room's row until the commit: a second writer waits and gets the next number. A number from a
    sequence of the whole database would not do: it is given before the commit, so 2 can become visible before 1, and a
    reader that has seen 2 never asks for 1.
    """
    seq = await session.scalar(NEXT, {"room_id": event.room_id}, execution_options={"synchronize_session": False})
    # Asked only now, under the lock: whoever was shown out while this waited says nothing more.
    actor = await session.scalar(ACTOR, {"room_id": event.room_id, "user_id": event.actor_id})
    if seq is None or actor is None:
        raise RoomNotFound
    event.seq, event.actor = seq, actor
    if event.subject_id is None:
        event.subject = None  # known, and not to be asked for
    session.add(event)
    await session.flush()
    after_commit(session, Hint("room", event.room_id, event=event if event.subject_id is None else None))


async def lock(session: AsyncSession, room_id: uuid.UUID) -> None:
    """Let nobody else write in this room until the commit. SQLite has locked everything already."""
    await session.execute(select(Room.id).where(Room.id == room_id).with_for_update())


def events_of(room_id: uuid.UUID) -> Select[Event]:
    """The question for a room's events, with the people in them."""
    return select(Event).where(Event.room_id == room_id).options(joinedload(Event.actor), joinedload(Event.subject))


async def after(database: Database, *, room_id: uuid.UUID, seq: int, limit: int) -> Sequence[Event]:
    """The events that follow `seq`, in order."""
    query = events_of(room_id).where(Event.seq > seq).order_by(Event.seq).limit(limit)
    async with database.read() as session:
        return (await session.scalars(query)).all()


async def position(database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID) -> tuple[int, int, uuid.UUID]:
    """How far a room's log goes, for one of its members. Raises RoomNotFound for anybody else.

    It has the events after the first number up to the second one; in another epoch (the third) it was another log.
    """
    async with database.read() as session:
        row = (await session.execute(POSITION, {"room_id": room_id, "user_id": user_id})).first()
    if row is None:
        raise RoomNotFound
    return row


async def heads(database: Database, room_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of the last event of each room."""
    async with database.read() as session:
        rows = await session.execute(select(Room.id, Room.seq).where(Room.id.in_(room_ids)))
        return dict(rows.all())
