"""The protocol of `/ws`, version 1: JSON objects with `v` and `type`, one per text frame.

At least once on the wire; a client that applies an event only when its `seq` follows the last one that it applied has
each exactly once, in order, however often it reconnects.
"""

import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from app.messages.schemas import Body, ClientId, Event, Person, Receipt
from app.schemas import Strict

VERSION: Literal[1] = 1


class _FromClient(Strict):
    v: Literal[1] = VERSION


class Subscribe(_FromClient):
    """Send me this room's events after number `after`, then each new one. `after` is the last that I applied."""

    type: Literal["subscribe"]
    room: uuid.UUID
    after: Annotated[int, Field(ge=0)]


class Unsubscribe(_FromClient):
    """Send me no more of this room."""

    type: Literal["unsubscribe"]
    room: uuid.UUID


class Publish(_FromClient):
    """Say something. Until the `ack` comes, send it again with the same `client_id`: it is said once."""

    type: Literal["publish"]
    room: uuid.UUID
    client_id: ClientId
    body: Body


class Ping(_FromClient):
    """Are you there? A browser cannot see the protocol's own pings."""

    type: Literal["ping"]


type ClientMessage = Annotated[Subscribe | Unsubscribe | Publish | Ping, Field(discriminator="type")]
client_message: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


class _FromServer(BaseModel):
    v: Literal[1] = VERSION

    def frame(self) -> str:
        """The text of the frame."""
        return self.model_dump_json(exclude_none=True)


class Hello(_FromServer):
    """The first message: who you are for the server."""

    type: Literal["hello"] = "hello"
    you: Person


class Subscribed(_FromServer):
    """The room is yours to follow. `seq` is its last event now: those after `after` follow, in order."""

    type: Literal["subscribed"] = "subscribed"
    room: uuid.UUID
    seq: int
    epoch: uuid.UUID


class RoomEvent(_FromServer):
    """An event of a room that you follow. `seq` is one more than that of the event before."""

    type: Literal["event"] = "event"
    room: uuid.UUID
    event: Event


class Ended(_FromServer):
    """You are no longer in this room, and get no more of it."""

    type: Literal["ended"] = "ended"
    room: uuid.UUID


class Ack(_FromServer):
    """Your message is committed: it will not get lost."""

    type: Literal["ack"] = "ack"
    room: uuid.UUID
    receipt: Receipt


class Failed(_FromServer):
    """What you sent was not done. `room` and `client_id` say which it was, when that could be read."""

    type: Literal["error"] = "error"
    room: uuid.UUID | None = None
    client_id: str | None = None
    problem: dict[str, Any]


class Pong(_FromServer):
    """I am."""

    type: Literal["pong"] = "pong"


type ServerMessage = Annotated[
    Hello | Subscribed | RoomEvent | Ended | Ack | Failed | Pong, Field(discriminator="type")
]
