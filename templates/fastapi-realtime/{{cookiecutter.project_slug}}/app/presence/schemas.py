"""What is said about presence on a socket."""

import uuid
from typing import Literal

from app.accounts.schemas import Person
from app.live.schemas import FromClient, FromServer


class Typing(FromClient):
    """I am writing. To be said again every few seconds while it is true; nobody stores it."""

    type: Literal["typing"]
    room: uuid.UUID


class Present(FromServer):
    """Who is in the room now, by name: the first hundred, and how many in all."""

    type: Literal["present"] = "present"
    room: uuid.UUID
    people: list[Person]
    number: int


class IsTyping(FromServer):
    """Somebody is writing, or was a moment ago."""

    type: Literal["typing"] = "typing"
    room: uuid.UUID
    who: Person
