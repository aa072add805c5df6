"""The rules of shared documents: what is broadcast is stored, and what is stored can be read."""

import uuid
from collections.abc import Sequence
from typing import Any

from pycrdt import Doc
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.documents.errors import DocumentFull, InvalidUpdate
from app.documents.models import DocumentUpdate
from app.rooms import log
from app.rooms.permissions import require_member

COMPACT_EVERY = 200  # updates; then they are merged into one
LONGEST_DOCUMENT = 8 * 1024 * 1024  # bytes, with all that was deleted since the updates were merged
NOTHING = b"\x00\x00"  # an update that changes nothing


async def updates(database: Database, *, room_id: uuid.UUID, after: int) -> Sequence[DocumentUpdate]:
    """What was stored after number `after`. When that has been merged, the merged update: it has the same and more."""
    query = select(DocumentUpdate).where(DocumentUpdate.room_id == room_id, DocumentUpdate.seq > after)
    async with database.read() as session:
        return (await session.scalars(query.order_by(DocumentUpdate.seq))).all()


async def heads(database: Database, room_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of the last update of each document."""
    query = select(DocumentUpdate.room_id, func.max(DocumentUpdate.seq)).group_by(DocumentUpdate.room_id)
    async with database.read() as session:
        return dict((await session.execute(query.where(DocumentUpdate.room_id.in_(room_ids)))).all())


async def append(database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID, data: bytes) -> int:
    """Store an update of somebody in the room; its number. Raises RoomNotFound, InvalidUpdate or DocumentFull."""
    try:
        Doc().apply_update(data)
    except Exception as error:  # whatever it stumbles over must not come to those who read it
        raise InvalidUpdate("It is not an update of Yjs.") from error
    async with database.write() as session:
        await log.lock(session, room_id)
        await require_member(session, room_id=room_id, user_id=user_id)
        mine = DocumentUpdate.room_id == room_id
        stored = select(func.max(DocumentUpdate.seq), func.sum(func.length(DocumentUpdate.data))).where(mine)
        last, size = (await session.execute(stored)).one()
        if (size or 0) + len(data) > LONGEST_DOCUMENT:
            raise DocumentFull("Delete something, or begin another document.")
        seq = (last or 0) + 1
        session.add(DocumentUpdate(room_id=room_id, seq=seq, data=data))
        if seq % COMPACT_EVERY == 0:
            await session.flush()
            await _compact(session, room_id, seq)
    return seq


async def _compact(session: AsyncSession, room_id: uuid.UUID, seq: int) -> None:
    """Replace all updates by one that makes the same document; what was deleted in it leaves no words behind."""
    mine = DocumentUpdate.room_id == room_id
    whole: Doc[Any] = Doc()
    for data in await session.scalars(select(DocumentUpdate.data).where(mine).order_by(DocumentUpdate.seq)):
        whole.apply_update(data)
    await session.execute(delete(DocumentUpdate).where(mine))
    session.expunge_all()
    session.add(DocumentUpdate(room_id=room_id, seq=seq, data=whole.get_update()))
