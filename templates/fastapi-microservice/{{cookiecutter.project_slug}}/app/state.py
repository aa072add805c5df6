"""What the lifespan makes once per process and every request may use, typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.database import Database
from app.settings import Settings

if TYPE_CHECKING:
    from app.auth.services import Tokens
    from app.limits.services import Limits


class State(TypedDict):
    """Made in `app.main.running`; a handler asks for it with a parameter `state: AppState`."""

    settings: Settings
    database: Database
    tokens: "Tokens"
    limits: "Limits"
    # Whether the process was told to stop, and lets others take over.
    draining: Callable[[], bool]
    # What extras keep for the life of the process, by their names.
    extras: dict[str, Any]
    # What the process can do without for a while: `/readyz` says degraded when one of these says no.
    helpers: dict[str, Callable[[], bool]]


def state_of(connection: HTTPConnection) -> State:
    """The state of the process that answers this request."""
    return cast(State, connection.scope["state"])


async def _state_of(connection: HTTPConnection) -> State:
    return state_of(connection)  # async: the framework runs others in a thread


AppState = Annotated[State, Depends(_state_of)]
