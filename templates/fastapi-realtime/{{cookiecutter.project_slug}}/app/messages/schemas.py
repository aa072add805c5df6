"""What is said about messages, over HTTP and over sockets alike."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.accounts.schemas import Person
from app.rooms.models import LONGEST_CLIENT_ID
from app.schemas import FromRow, Strict, words

LONGEST_MESSAGE = 4000  # characters

Body = Annotated[str, words(LONGEST_MESSAGE)]
ClientId = Annotated[str, Field(min_length=8, max_length=LONGEST_CLIENT_ID, pattern=r"^[A-Za-z0-9_-]*$")]


class NewMessage(Strict):
    """`client_id` is made by the sender, once per message: sending again after a lost answer is then harmless."""

    client_id: ClientId
    body: Body


class Event(FromRow):
    """An event of a room's log.

    `body` and `client_id` are those of a message, which is deleted when the body is empty; `target` is the number of
    the message that was edited or deleted; `subject` is who joined or left.
    """

    seq: int
    kind: Literal["message", "edited", "deleted", "joined", "left"]
    at: datetime = Field(validation_alias="created_at")
    actor: Person
    subject: Person | None = None
    client_id: str | None = None
    target: int | None = None
    body: str | None = None
    edited_at: datetime | None = None


class Receipt(FromRow):
    """Where a message, or what was done to one, stands in the room's log."""

    client_id: str
    seq: int
    at: datetime = Field(validation_alias="created_at")
