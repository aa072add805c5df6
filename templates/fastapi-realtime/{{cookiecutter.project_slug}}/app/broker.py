"""Wakes whoever waits for news. The database is the log; a hint only says where to look, and may be lost."""

import uuid
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol


class Hint(NamedTuple):
    """`room`: there are new events in its log. `session`: it has ended."""

    kind: Literal["room", "session"]
    id: uuid.UUID


class Broker(Protocol):
    """What carries hints. One that fails costs time (see `app.live.hub.POLL`), never a message."""

    async def announce(self, hint: Hint) -> None:
        """Tell every listener, after the commit. Never raises: what is committed stays true without it."""
        ...

    def listen(self, listener: Callable[[Hint], None]) -> None:
        """Call the listener for every hint from now on. It must return at once."""
        ...


class InProcessBroker:
    """Hints for one process. Several processes learn of each other's news by looking (`app.live.hub.POLL`)."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Hint], None]] = []

    async def announce(self, hint: Hint) -> None:
        for listener in self._listeners:
            listener(hint)

    def listen(self, listener: Callable[[Hint], None]) -> None:
        self._listeners.append(listener)
