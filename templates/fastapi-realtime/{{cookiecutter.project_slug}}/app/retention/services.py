"""The rules of retention: a log may lose its beginning, and may be another one than it was; readers are told."""

import uuid
from datetime import datetime

from sqlalchemy import delete, func, select, update

from app.database import Database
from app.rooms.models import Event, Room


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
            deleted = delete(Event).where(Event.room_id == room_id, Event.seq <= seq).returning(Event.seq)
            gone += len((await session.execute(deleted)).all())
    return gone


async def begin_new_epoch(database: Database) -> None:
    """After a backup was restored: what clients have seen since is not in the log, so all begin afresh."""
    async with database.write() as session:
        await session.execute(update(Room).values(epoch=uuid.uuid4()))
