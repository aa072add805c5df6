"""What is said over HTTP about rooms."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, cast

from pydantic import BaseModel, StringConstraints

from app.accounts.schemas import Name
from app.rooms import models
from app.schemas import WITHOUT_NUL, Strict

type Role = Literal["owner", "member"]
RoomName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=models.LONGEST_ROOM_NAME, pattern=WITHOUT_NUL),
]


class NewRoom(Strict):
    name: RoomName


class Room(BaseModel):
    """A room as one of its members sees it. `seq` is the number of the last event in its log."""

    id: uuid.UUID
    name: str
    role: Role
    seq: int
    epoch: uuid.UUID

    @classmethod
    def of(cls, member: models.Member) -> "Room":
        room = member.room
        return cls(id=room.id, name=room.name, role=cast(Role, member.role), seq=room.seq, epoch=room.epoch)


class NewMember(Strict):
    name: Name


class NewRole(Strict):
    role: Role


class Member(BaseModel):
    id: uuid.UUID
    name: str
    role: Role
    joined_at: datetime

    @classmethod
    def of(cls, member: models.Member) -> "Member":
        user = member.user
        return cls(id=user.id, name=user.name, role=cast(Role, member.role), joined_at=member.joined_at)
