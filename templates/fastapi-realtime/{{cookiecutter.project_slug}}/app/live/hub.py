"""The hub: one per process. It reads each room's log once, and wakes the connections that follow it.

A connection has no queue of events: it has a cursor per room, into a ring that all share. So a thousand readers of a
room cost one copy of its events, and the memory of a slow one is bounded without counting.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from app.accounts.services import ended_since
from app.broker import Broker, Hint
from app.database import Database, now
from app.live.schemas import RoomEvent
from app.messages.schemas import Event
from app.rooms import log

logger = logging.getLogger(__name__)

POLL = timedelta(seconds=2)  # the longest that a lost hint, or another process without a broker, can delay news
RING = 512  # the events of a room that are kept for those who are a little behind
PAGE = 200  # the events that one question to the log brings
PATIENCE = timedelta(seconds=10)  # with a database that does not answer; then the question is asked again
CLOCKS_DIFFER = timedelta(minutes=1)  # between hosts, at most: an ended session is looked for that much further back


class Frame(NamedTuple):
    """An event, encoded once for all who follow the room. `out` is who may not read what follows."""

    seq: int
    text: str
    out: uuid.UUID | None


class Follower(Protocol):
    """What the hub knows of a connection."""

    user_id: uuid.UUID
    session_id: uuid.UUID

    def wake(self, room_id: uuid.UUID, head: int) -> None:
        """There is something to read up to `head`. Must return at once."""
        ...

    def end_session(self) -> None:
        """The session that opened the connection is over."""
        ...

    @property
    def expired(self) -> bool: ...


class Feed:
    """A room in this process: its newest events, and who follows it."""

    def __init__(self, room_id: uuid.UUID, head: int) -> None:
        self.room_id = room_id
        self.head = head
        self.ring: deque[Frame] = deque(maxlen=RING)
        self.followers: set[Follower] = set()

    def extend(self, frames: Sequence[Frame]) -> None:
        """Take the next events of the log. They follow `head` without a gap: commits are in the order of numbers."""
        self.ring.extend(frames)
        self.head = frames[-1].seq
        for follower in self.followers:
            follower.wake(self.room_id, self.head)

    def since(self, seq: int) -> list[Frame] | None:
        """The events after `seq` that the ring has; None when it does not reach back that far."""
        missing = self.head - seq
        if missing > len(self.ring):
            return None
        return [self.ring[index] for index in range(len(self.ring) - missing, len(self.ring))]


class Hub:
    """The feeds of this process, and the one task that keeps them up to date."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database = database
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._connections: set[Follower] = set()
        self._news: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._stopped = False
        self._poll_seconds = POLL.total_seconds()
        self._polled_at = now()
        broker.listen(self._hear)

    def connect(self, connection: Follower) -> None:
        self._connections.add(connection)

    def disconnect(self, connection: Follower) -> None:
        """Forget a connection, and the rooms that nobody follows any more."""
        self._connections.discard(connection)
        for room_id in [room_id for room_id, feed in self._feeds.items() if connection in feed.followers]:
            self.unfollow(connection, room_id)

    def follow(self, connection: Follower, room_id: uuid.UUID, head: int) -> None:
        """Wake the connection from now on when the room has news. `head` is the room's last event, just read."""
        feed = self._feeds.get(room_id)
        if feed is None:
            feed = self._feeds[room_id] = Feed(room_id, head)
        feed.followers.add(connection)
        if head > feed.head:
            self._hear(Hint("room", room_id))
        connection.wake(room_id, feed.head)

    def unfollow(self, connection: Follower, room_id: uuid.UUID) -> None:
        feed = self._feeds.get(room_id)
        if feed is not None:
            feed.followers.discard(connection)
            if not feed.followers:
                del self._feeds[room_id]

    async def events(self, room_id: uuid.UUID, after: int) -> Sequence[Frame]:
        """What follows `after` in the room: from the ring, or for those who come from further back from the log."""
        feed = self._feeds.get(room_id)
        recent = feed.since(after) if feed else None
        return recent if recent is not None else await self._read(room_id, after)

    async def run(self) -> None:
        """Keep the feeds up to date until stopped. A database that fails delays news, it loses none."""
        loop = asyncio.get_running_loop()
        next_poll = loop.time()
        while not self._stopped:
            try:
                if loop.time() >= next_poll:
                    next_poll = loop.time() + self._poll_seconds
                    await self._poll()
                # Rooms in turn and a page each, and however much is said, the poll has its time.
                while self._news and loop.time() < next_poll and not self._stopped:
                    await self._advance(self._news.pop())
            except Exception:
                # Whatever it was, every connection of this process lives on this task; the next poll tries again.
                logger.exception("The log cannot be read")
            self._woken.clear()
            if not self._news and not self._stopped:
                try:
                    async with asyncio.timeout_at(next_poll):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    def stop(self) -> None:
        """Let `run` come to its end; cancelled in the middle of a question it would leak a database connection."""
        self._stopped = True
        self._woken.set()

    def _hear(self, hint: Hint) -> None:
        if hint.kind == "session":
            self._end_sessions([hint.id])
        elif hint.id in self._feeds:
            self._news.add(hint.id)
            self._woken.set()

    def _end_sessions(self, session_ids: Sequence[uuid.UUID]) -> None:
        ended = set(session_ids)
        for connection in [each for each in self._connections if each.session_id in ended or each.expired]:
            connection.end_session()

    async def _poll(self) -> None:
        """Look for what no hint told: rooms that moved on and sessions that ended, in other processes perhaps."""
        started = now()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            ended = await ended_since(self._database, self._polled_at - CLOCKS_DIFFER) if self._connections else []
            heads = await log.heads(self._database, list(self._feeds)) if self._feeds else {}
        self._polled_at = started
        self._end_sessions(ended)
        if heads:
            self._news |= {room_id for room_id, feed in self._feeds.items() if heads.get(room_id, 0) > feed.head}

    async def _advance(self, room_id: uuid.UUID) -> None:
        feed = self._feeds.get(room_id)
        if feed is None:
            return
        async with asyncio.timeout(PATIENCE.total_seconds()):
            frames = await self._read(room_id, feed.head)
        # The room may have been left by all, and entered again, while the log was read.
        if frames and self._feeds.get(room_id) is feed:
            feed.extend(frames)
        if len(frames) == PAGE:
            self._news.add(room_id)

    async def _read(self, room_id: uuid.UUID, after: int) -> Sequence[Frame]:
        return [
            Frame(
                seq=row.seq,
                text=RoomEvent(room=room_id, event=Event.of(row)).frame(),
                out=row.subject_id if row.kind == "left" else None,
            )
            for row in await log.after(self._database, room_id=room_id, seq=after, limit=PAGE)
        ]
