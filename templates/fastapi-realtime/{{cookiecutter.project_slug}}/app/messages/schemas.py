"""What is said about messages, over HTTP and over sockets alike."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, cast

from pydantic import BaseModel, StringConstraints

from app.rooms import models
from app.schemas import WITHOUT_NUL, Strict

LONGEST_MESSAGE = 4000  # characters

Body = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_MESSAGE, pattern=WITHOUT_NUL),
]
ClientId = Annotated[
    str, StringConstraints(min_length=8, max_length=models.LONGEST_CLIENT_ID, pattern=r"^[A-Za-z0-9_-]*$")
]


class NewMessage(Strict):
    """`client_id` is made by the sender, once per message: sending again after a lost answer is then harmless."""

    client_id: ClientId
    body: Body


class Person(BaseModel):
    id: uuid.UUID
    name: str


class Event(BaseModel):
    """An event of a room's log. `body` and `client_id` are those of a message, `subject` is who joined or left."""

    seq: int
    kind: Literal["message", "joined", "left"]
    at: datetime
    actor: Person
    subject: Person | None = None
    client_id: str | None = None
    body: str | None = None

    @classmethod
    def of(cls, row: models.Event) -> "Event":
        return cls(
            seq=row.seq,
            kind=cast(Literal["message", "joined", "left"], row.kind),
            at=row.created_at,
            actor=Person(id=row.actor.id, name=row.actor.name),
            subject=Person(id=row.subject.id, name=row.subject.name) if row.subject else None,
            client_id=row.client_id,
            body=row.body,
        )


class Receipt(BaseModel):
    """Where a message stands in the room's log."""

    client_id: str
    seq: int
    at: datetime

    @classmethod
    def of(cls, row: models.Event) -> "Receipt":
        return cls(client_id=row.client_id or "", seq=row.seq, at=row.created_at)
