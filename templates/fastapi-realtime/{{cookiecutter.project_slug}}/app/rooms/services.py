"""The rules of rooms: making them, letting people in and out. Joining and leaving are events in the room's log."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, exists, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.errors import UserNotFound
from app.accounts.models import User
from app.database import Database
from app.rooms import log
from app.rooms.errors import AlreadyMember, LastOwner, MemberNotFound
from app.rooms.models import Event, Member, Room
from app.rooms.permissions import require_member, require_owner


async def create_room(database: Database, *, name: str, owner_id: uuid.UUID) -> Member:
    """Make a room with its first member, the owner."""
    room = Room(id=uuid.uuid4(), name=name)
    member = Member(room=room, user_id=owner_id, role="owner")
    async with database.write() as session:
        session.add_all([room, member])
        await session.flush()
        await log.append(session, Event(room_id=room.id, kind="joined", actor_id=owner_id, subject_id=owner_id))
        await session.refresh(room)
    return member


async def rooms_of(
    database: Database, *, user_id: uuid.UUID, after: tuple[str, uuid.UUID] | None, limit: int
) -> Sequence[Member]:
    """The memberships of a person with their rooms, by the room's name."""
    query = select(Member).join(Member.room).where(Member.user_id == user_id).options(joinedload(Member.room))
    if after:
        query = query.where(tuple_(Room.name, Room.id) > after)
    async with database.read() as session:
        return (await session.scalars(query.order_by(Room.name, Room.id).limit(limit))).all()


async def get_room(database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID) -> Member:
    """A person's membership with its room. Raises RoomNotFound."""
    async with database.read() as session:
        return await require_member(session, room_id=room_id, user_id=user_id)


async def members_of(
    database: Database, *, room_id: uuid.UUID, user_id: uuid.UUID, after: str | None, limit: int
) -> Sequence[Member]:
    """Who is in a room, by name. Raises RoomNotFound when the asker is not."""
    query = select(Member).join(Member.user).where(Member.room_id == room_id).options(joinedload(Member.user))
    if after is not None:
        query = query.where(User.name > after)
    async with database.read() as session:
        await require_member(session, room_id=room_id, user_id=user_id)
        return (await session.scalars(query.order_by(User.name).limit(limit))).all()


async def add_member(database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, name: str) -> Member:
    """An owner lets somebody in. Raises RoomNotFound, OwnersOnly, UserNotFound or AlreadyMember."""
    try:
        async with database.write() as session:
            await require_owner(session, room_id=room_id, user_id=actor_id)
            user = await session.scalar(select(User).where(User.name == name.lower()))
            if user is None:
                raise UserNotFound(f"Nobody is called {name}.")
            member = Member(room_id=room_id, user=user, role="member")
            session.add(member)
            await log.append(session, Event(room_id=room_id, kind="joined", actor_id=actor_id, subject_id=user.id))
    except IntegrityError as error:
        raise AlreadyMember(f"{name} is in the room.") from error
    return member


async def set_role(
    database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, user_id: uuid.UUID, role: str
) -> Member:
    """An owner says who is one. Raises RoomNotFound, OwnersOnly, MemberNotFound or LastOwner."""
    async with database.write() as session:
        await require_owner(session, room_id=room_id, user_id=actor_id)
        await log.lock(session, room_id)
        query = select(Member).where(Member.room_id == room_id, Member.user_id == user_id)
        member = await session.scalar(query.options(joinedload(Member.user)))
        if member is None:
            raise MemberNotFound("They have left already, or never were in it.")
        member.role = role
        await _require_an_owner(session, room_id)
    return member


async def remove_member(database: Database, *, room_id: uuid.UUID, actor_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """An owner shows somebody out, or somebody leaves.

    It is an event like a message, so it has its place among them: nothing that comes after it reaches the one who is
    out, in any process. Raises RoomNotFound, OwnersOnly, MemberNotFound or LastOwner.
    """
    async with database.write() as session:
        if actor_id == user_id:
            await require_member(session, room_id=room_id, user_id=actor_id)
        else:
            await require_owner(session, room_id=room_id, user_id=actor_id)
        # First the log, because it locks the room: two owners who leave at once do so one after the other.
        await log.append(session, Event(room_id=room_id, kind="left", actor_id=actor_id, subject_id=user_id))
        member = delete(Member).where(Member.room_id == room_id, Member.user_id == user_id)
        if await session.scalar(member.returning(Member.user_id)) is None:
            raise MemberNotFound("They have left already, or never were in it.")
        await _require_an_owner(session, room_id)


async def _require_an_owner(session: AsyncSession, room_id: uuid.UUID) -> None:
    if not await session.scalar(select(exists().where(Member.room_id == room_id, Member.role == "owner"))):
        raise LastOwner("Make somebody else an owner first.")
