"""The protocol of `/ws`, version 1: JSON objects with `v` and `type`, one per text frame.

At least once on the wire; a client that applies an event only when its `seq` follows the last one that it applied has
each exactly once, in order, however often it reconnects.
"""

import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.accounts.schemas import Person
from app.messages.schemas import Body, ClientId, Event, Receipt
from app.schemas import Strict

VERSION: Literal[1] = 1
Seq = Annotated[int, Field(ge=0, le=2**31 - 1)]


class FromClient(Strict):
    """What every message of a client has."""

    v: Literal[1] = VERSION


class Subscribe(FromClient):
    """Send me this room's events after number `after`, then each new one.

    `after` is the last that I applied, `epoch` that of the log that I applied it from (left out by who begins).
    """

    type: Literal["subscribe"]
    room: uuid.UUID
    after: Seq
    epoch: uuid.UUID | None = None


class Unsubscribe(FromClient):
    """Send me no more of this room."""

    type: Literal["unsubscribe"]
    room: uuid.UUID


class Publish(FromClient):
    """Say something. Until the `ack` comes, send it again with the same `client_id`: it is said once."""

    type: Literal["publish"]
    room: uuid.UUID
    client_id: ClientId
    body: Body


class Ping(FromClient):
    """Are you there? A browser cannot see the protocol's own pings."""

    type: Literal["ping"]


FROM_CLIENT: tuple[type[FromClient], ...] = (Subscribe, Unsubscribe, Publish, Ping)


class FromServer(BaseModel):
    """What every message of the server has."""

    v: Literal[1] = VERSION

    def frame(self) -> str:
        """The text of the frame."""
        return self.model_dump_json(exclude_none=True)


class Hello(FromServer):
    """The first message: who you are for the server."""

    type: Literal["hello"] = "hello"
    you: Person


class Subscribed(FromServer):
    """The room is yours to follow. `seq` is its last event now: those after `after` follow, in order."""

    type: Literal["subscribed"] = "subscribed"
    room: uuid.UUID
    seq: int
    epoch: uuid.UUID


class Reset(FromServer):
    """What you have of this room does not go together with its log: too much was deleted, or a backup was restored.

    Throw it away, load the room anew, and subscribe again with this `epoch` and some `after` from `after` to `seq`.
    """

    type: Literal["reset"] = "reset"
    room: uuid.UUID
    after: int
    seq: int
    epoch: uuid.UUID


class RoomEvent(FromServer):
    """An event of a room that you follow. `seq` is one more than that of the event before."""

    type: Literal["event"] = "event"
    room: uuid.UUID
    event: Event


class Ended(FromServer):
    """You are no longer in this room, and get no more of it."""

    type: Literal["ended"] = "ended"
    room: uuid.UUID


class Ack(FromServer):
    """What you said is committed: it will not get lost."""

    type: Literal["ack"] = "ack"
    room: uuid.UUID
    receipt: Receipt


class About(BaseModel):
    """Which of many messages it was, when that could be read."""

    room: uuid.UUID | None = None
    client_id: ClientId | None = None


class Failed(FromServer, About):
    """What you sent was not done. `room` and `client_id` say which it was, when that could be read."""

    type: Literal["error"] = "error"
    problem: dict[str, Any]


class Pong(FromServer):
    """I am."""

    type: Literal["pong"] = "pong"


FROM_SERVER: tuple[type[FromServer], ...] = (Hello, Subscribed, Reset, RoomEvent, Ended, Ack, Failed, Pong)
