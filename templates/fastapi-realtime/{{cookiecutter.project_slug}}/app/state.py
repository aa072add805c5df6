"""What the lifespan makes once per process and every request may use, typed."""

from typing import Annotated, TypedDict, cast

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.broker import Broker
from app.database import Database
from app.settings import Settings


class State(TypedDict):
    """Made in `app.main.lifespan`; a handler asks for it with a parameter `state: AppState`."""

    settings: Settings
    database: Database
    broker: Broker


def state_of(connection: HTTPConnection) -> State:
    """The state of the process that answers this request or handshake."""
    return cast(State, connection.scope["state"])


AppState = Annotated[State, Depends(state_of)]
