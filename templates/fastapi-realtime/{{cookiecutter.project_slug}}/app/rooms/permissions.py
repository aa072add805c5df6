"""Who may do what in a room."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.rooms.errors import OwnersOnly, RoomNotFound
from app.rooms.models import Member


async def require_member(session: AsyncSession, *, room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """The membership, with its room. Raises RoomNotFound."""
    member = await session.get(Member, (room_id, user_id), options=[joinedload(Member.room)])
    if member is None:
        raise RoomNotFound
    return member


async def require_owner(session: AsyncSession, *, room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """The membership of an owner. Raises RoomNotFound or OwnersOnly."""
    member = await require_member(session, room_id=room_id, user_id=user_id)
    if member.role != "owner":
        raise OwnersOnly("Ask an owner of the room.")
    return member
