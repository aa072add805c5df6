"""What is said over HTTP about rooms."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field, StringConstraints

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


class NewMember(Strict):
    name: Name


class NewRole(Strict):
    role: Role


class Room(BaseModel):
    """A room as one of its members sees it. `seq` is the number of the last event in its log."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID = Field(validation_alias=AliasPath("room", "id"))
    name: str = Field(validation_alias=AliasPath("room", "name"))
    role: Role
    seq: int = Field(validation_alias=AliasPath("room", "seq"))
    epoch: uuid.UUID = Field(validation_alias=AliasPath("room", "epoch"))


class Member(BaseModel):
    """Somebody in a room."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID = Field(validation_alias="user_id")
    name: str = Field(validation_alias=AliasPath("user", "name"))
    role: Role
    joined_at: datetime
