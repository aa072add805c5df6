"""Rooms and who is in them."""

import uuid

from fastapi import APIRouter

from app.accounts.permissions import SignedIn
from app.pagination import Cursor, Limit, Page, Text, decode, page
from app.rooms import services
from app.rooms.schemas import Member, NewMember, NewRole, NewRoom, Room
from app.state import AppState

router = APIRouter(prefix="/rooms", tags=["rooms"])


@router.post("", status_code=201)
async def create_room(body: NewRoom, state: AppState, caller: SignedIn) -> Room:
    """Make a room; you are its owner."""
    member = await services.create_room(state["database"], name=body.name, owner_id=caller.user_id)
    return Room.model_validate(member)


@router.get("")
async def list_rooms(state: AppState, caller: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[Room]:
    """The rooms that I am in, by name."""
    after = decode(cursor, Text, uuid.UUID)
    rows = await services.rooms_of(state["database"], user_id=caller.user_id, after=after, limit=limit + 1)
    return page(rows, limit, item=Room.model_validate, key=lambda row: (row.room.name, row.room.id))


@router.get("/{room_id}")
async def read_room(room_id: uuid.UUID, state: AppState, caller: SignedIn) -> Room:
    """A room that I am in."""
    member = await services.get_room(state["database"], room_id=room_id, user_id=caller.user_id)
    return Room.model_validate(member)


@router.get("/{room_id}/members")
async def list_members(
    room_id: uuid.UUID, state: AppState, caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Page[Member]:
    """Who is in the room, by name."""
    (after,) = decode(cursor, Text) or (None,)
    rows = await services.members_of(
        state["database"], room_id=room_id, user_id=caller.user_id, after=after, limit=limit + 1
    )
    return page(rows, limit, item=Member.model_validate, key=lambda row: (row.user.name,))


@router.post("/{room_id}/members", status_code=201)
async def add_member(room_id: uuid.UUID, body: NewMember, state: AppState, caller: SignedIn) -> Member:
    """Let somebody in (owners)."""
    member = await services.add_member(state["database"], room_id=room_id, actor_id=caller.user_id, name=body.name)
    return Member.model_validate(member)


@router.patch("/{room_id}/members/{user_id}")
async def change_member(
    room_id: uuid.UUID, user_id: uuid.UUID, body: NewRole, state: AppState, caller: SignedIn
) -> Member:
    """Make somebody an owner, or a member again (owners)."""
    member = await services.set_role(
        state["database"], room_id=room_id, actor_id=caller.user_id, user_id=user_id, role=body.role
    )
    return Member.model_validate(member)


@router.delete("/{room_id}/members/{user_id}", status_code=204)
async def remove_member(room_id: uuid.UUID, user_id: uuid.UUID, state: AppState, caller: SignedIn) -> None:
    """Show somebody out (owners), or leave."""
    await services.remove_member(state["database"], room_id=room_id, actor_id=caller.user_id, user_id=user_id)
