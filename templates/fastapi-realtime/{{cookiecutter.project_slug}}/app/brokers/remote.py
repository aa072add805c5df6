"""What the brokers have in common: hints as lines of text, and trying again for ever."""

import asyncio
import logging
import secrets
import uuid
from abc import ABC, abstractmethod
from collections import deque
from datetime import timedelta

from app.broker import Broker, Hint

logger = logging.getLogger(__name__)

MOST_WAITING = 10_000  # hints that wait for a slow broker; older ones are dropped, the poll makes up for them
LONGEST_HINT = 7_500  # bytes; PostgreSQL carries less than 8,000
TRY_AGAIN = timedelta(seconds=1)


class RemoteBroker(Broker, ABC):
    """Carries hints between processes over something that may be gone at any time; then it tries again for ever."""

    up = False

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self._us = secrets.token_hex(4)  # this process; what comes back from the broker is no news for it
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()

    @abstractmethod
    async def carry(self) -> None:
        """Connect, set `up`, and carry hints both ways, with `next_text` and `heard`, until the connection breaks."""

    def announce(self, hint: Hint) -> None:
        super().announce(hint)
        text = f"{self._us} {hint.kind} {hint.id} {hint.data}"
        if self.up and len(text) <= LONGEST_HINT:
            self._waiting.append(text)
            self._news.set()

    async def next_text(self) -> str:
        """The next hint to be carried to the others."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def heard(self, text: str) -> None:
        """Pass on what came from another process."""
        try:
            sender, kind, identity, data = text.split(" ", 3)
            hint = Hint(kind, uuid.UUID(identity), data)
        except ValueError:
            logger.warning("Something else than a hint came from the broker")
            return
        if sender != self._us:
            try:
                super().announce(hint)
            except Exception:
                logger.exception("A hint from another process cannot be read")  # of another version, perhaps

    async def run(self) -> None:
        while True:
            try:
                await self.carry()
            except Exception as error:
                cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
                logger.warning("The broker is gone, news come by the poll: %s", type(cause).__name__)
            self.up = False
            self._waiting.clear()
            await asyncio.sleep(TRY_AGAIN.total_seconds())
