"""Wakes whoever waits for news. The database is the log; a hint only says where to look, and may be lost."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from app.rooms.models import Event


class Hint(NamedTuple):
    """`room`: there are new events in its log. `session`: it has ended. Extras add kinds, and data of their own."""

    kind: str
    id: uuid.UUID
    data: str = ""
    event: "Event | None" = None  # what happened, for this process alone: it need not read what it has just written


class Broker:
    """Carries hints within this process; a subclass carries them to the others as well."""

    up = True  # whether hints reach the other processes

    def __init__(self) -> None:
        self._listeners: list[Callable[[Hint], None]] = []

    def listen(self, listener: Callable[[Hint], None]) -> None:
        """Call the listener for every hint from now on. It must return at once."""
        self._listeners.append(listener)

    def announce(self, hint: Hint) -> None:
        """Tell every listener, after the commit. Returns at once, never raises: what is committed is true without."""
        for listener in self._listeners:
            listener(hint)

    async def run(self) -> None:
        """Carry hints until cancelled."""
