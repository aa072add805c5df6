"""The log of a room: numbers without a gap, given in the order of commits."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.broker import Hint
from app.database import Database, after_commit
from app.rooms.errors import RoomNotFound
from app.rooms.models import Event, Member, Room


class Position(NamedTuple):
    """The log of a room has the events after `pruned` up to `seq`; in another epoch it was another log."""

    pruned: int
    seq: int
    epoch: uuid.UUID


async def append(session: AsyncSession, event: Event) -> None:
    """Add an event of one of the room's members; it gets the next number. Raises RoomNotFound for anybody else.

    The update locks the room's row until the commit: a second writer waits and gets the next number. A number from a
    sequence of the whole database would not do: it is given before the commit, so 2 can become visible before 1, and a
    reader that has seen 2 never asks for 1.
    """
    seq = await session.scalar(
        update(Room).where(Room.id == event.room_id).values(seq=Room.seq + 1).returning(Room.seq)
    )
    # Asked only now, under the lock: whoever was shown out while this waited says nothing more.
    member = select(User).join(Member).where(Member.room_id == event.room_id, Member.user_id == event.actor_id)
    actor = await session.scalar(member)
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


async def prune(database: Database, *, before: datetime) -> int:
    """Delete the events of all rooms from before a moment. Returns how many they were.

    Of each room the log loses its beginning and never something in the middle; one room at a time, so that nobody waits
    long for the others.
    """
    old = select(Event.room_id, func.max(Event.seq)).where(Event.created_at < before).group_by(Event.room_id)
    async with database.read() as session:
        last = (await session.execute(old)).all()
    gone = 0
    for room_id, seq in last:
        async with database.write() as session:
            await session.execute(update(Room).where(Room.id == room_id, Room.pruned < seq).values(pruned=seq))
            deleted = await session.execute(
                delete(Event).where(Event.room_id == room_id, Event.seq <= seq).returning(Event.seq)
            )
            gone += len(deleted.all())
    return gone


async def begin_new_epoch(database: Database) -> None:
    """After a backup was restored: what clients have seen since is not in the log, so all begin afresh."""
    async with database.write() as session:
        await session.execute(update(Room).values(epoch=uuid.uuid4()))


async def position(database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID) -> Position:
    """How far a room's log goes, for one of its members. Raises RoomNotFound for anybody else."""
    query = select(Room.pruned, Room.seq, Room.epoch).join_from(Room, Member)
    async with database.read() as session:
        row = (await session.execute(query.where(Room.id == room_id, Member.user_id == user_id))).first()
    if row is None:
        raise RoomNotFound
    return Position(*row)


async def heads(database: Database, room_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of the last event of each room."""
    async with database.read() as session:
        rows = await session.execute(select(Room.id, Room.seq).where(Room.id.in_(room_ids)))
        return dict(rows.all())
