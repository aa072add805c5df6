"""What the lifespan makes once per process and every request may use, typed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.database import Database
from app.settings import Settings

if TYPE_CHECKING:
    from app.inference.tensors import Array
    from app.keys.services import Gate, Holder
    from app.registry.files import Files
    from app.serving.batching import Lane
    from app.serving.shelf import Shelf


class State(TypedDict):
    """Made in `app.main.lifespan`; a handler asks for it with a parameter `state: AppState`."""

    settings: Settings
    database: Database
    gate: "Gate"
    files: "Files"
    shelf: "Shelf"
    # Each is asked in turn who a request comes from that shows no key: whoever signed in at a page, for example.
    people: "list[Callable[[HTTPConnection], Awaitable[Holder | None]]]"
    # Each is asked whether somebody may ask once more, and raises when not.
    limits: "list[Callable[[Holder], Awaitable[None]]]"
    # Each is told of every prediction that was made: for whom, where, what went in and what came out. It may not wait.
    observers: "list[Callable[[Holder, Lane, Mapping[str, Array], Mapping[str, Array]], None]]"
    # What is offered beyond the Open Inference Protocol, in its own words.
    extensions: list[str]
    # What extras count, for the metrics.
    counters: dict[str, int]
    # What extras keep for the life of the process, by their names.
    extras: dict[str, Any]
    # What the process can do without for a while: `/readyz` says degraded when one of these says no.
    helpers: dict[str, Callable[[], bool]]


async def rest(task: asyncio.Task[None], busy: asyncio.Lock) -> None:
    """End a task that goes on for ever while it does nothing: cut amid a question, it would leave a connection open."""
    async with busy:
        task.cancel()


async def state_of(connection: HTTPConnection) -> State:
    """The state of the process that answers this request. Async: the framework runs others in a thread."""
    return cast(State, connection.scope["state"])


AppState = Annotated[State, Depends(state_of)]
