"""What the lifespan makes once per process and every request may use, typed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.database import Database
from app.settings import Settings

if TYPE_CHECKING:
    from app.accounts.services import Caller
    from app.live.hub import Hub


class State(TypedDict):
    """Made in `app.main.lifespan`; a handler asks for it with a parameter `state: AppState`."""

    settings: Settings
    database: Database
    hub: "Hub"
    # Each is asked in turn who a bearer token stands for: our own tokens, the JWTs of an OpenID Connect issuer …
    bearers: list[Callable[[str], Awaitable["Caller | None"]]]
    # What extras keep for the life of the process, by their names.
    extras: dict[str, Any]
    # What the process can do without for a while: `/readyz` says degraded when one of these says no.
    helpers: dict[str, Callable[[], bool]]


async def finish(task: asyncio.Task[None]) -> None:
    """Let a task of the process come to its end by itself, for a moment: it may be amid a question to the database."""
    await asyncio.wait({task}, timeout=0.5)
    task.cancel()


async def state_of(connection: HTTPConnection) -> State:
    """The state of the process that answers this request or handshake. Async: the framework runs others in a thread."""
    return cast(State, connection.scope["state"])


AppState = Annotated[State, Depends(state_of)]
