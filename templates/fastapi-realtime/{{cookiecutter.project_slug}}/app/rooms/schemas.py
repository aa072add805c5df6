"""What is said over HTTP about rooms."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasPath, Field

from app.accounts.schemas import Name
from app.rooms.models import LONGEST_ROOM_NAME
from app.schemas import FromRow, Strict, words

type Role = Literal["owner", "member"]


class NewRoom(Strict):
    name: Annotated[str, words(LONGEST_ROOM_NAME)]


class NewMember(Strict):
    name: Name


class NewRole(Strict):
    role: Role


class Room(FromRow):
    """A room as one of its members sees it. `seq` is the number of the last event in its log."""

    id: uuid.UUID = Field(validation_alias=AliasPath("room", "id"))
    name: str = Field(validation_alias=AliasPath("room", "name"))
    role: Role
    seq: int = Field(validation_alias=AliasPath("room", "seq"))
    epoch: uuid.UUID = Field(validation_alias=AliasPath("room", "epoch"))


class Member(FromRow):
    """Somebody in a room."""

    id: uuid.UUID = Field(validation_alias="user_id")
    name: str = Field(validation_alias=AliasPath("user", "name"))
    role: Role
    joined_at: datetime
