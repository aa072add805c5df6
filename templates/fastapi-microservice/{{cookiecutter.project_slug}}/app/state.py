"""What the lifespan makes once per process and every request may use, typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, cast

from fastapi.requests import HTTPConnection

from app.database import Database
from app.settings import Settings

if TYPE_CHECKING:
    from app.auth.services import Tokens
    from app.limits.services import Limits


class State(TypedDict):
    """Made in `app.main.running`; a handler gets it by `state_of(request)`."""

    settings: Settings
    database: Database
    tokens: "Tokens"
    limits: "Limits"
    # Whether the process was told to stop, and lets others take over.
    draining: Callable[[], bool]
    # What extras keep for the life of the process, by their names.
    extras: dict[str, Any]


def state_of(connection: HTTPConnection) -> State:
    """The state of the process that answers this request."""
    return cast(State, connection.scope["state"])
