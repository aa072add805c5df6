"""The hub: one per process. It reads each room's log once, and hands what is new to all who follow the room.

A reader has no queue of events: it has a cursor per room, into a ring that all share. So a thousand readers of a room
cost one copy of its events, and the memory of a slow one is bounded without counting.
"""

import asyncio
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import Field, TypeAdapter
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from app.accounts.services import ended_since
from app.broker import Broker, Hint
from app.database import Database, now
from app.live.errors import TooManyConnections
from app.live.schemas import FROM_CLIENT, FromClient, FromServer, RoomEvent
from app.messages.schemas import Event
from app.rooms import log, models

logger = logging.getLogger(__name__)

POLL = timedelta(seconds=2)  # the longest that a lost hint, or another process without a broker, can delay news
RING = 512  # the events of a room that are kept for those who are a little behind
PAGE = 200  # the events that one question to the log brings
PATIENCE = timedelta(seconds=10)  # with a database that does not answer; then the question is asked again
CLOCKS_DIFFER = timedelta(minutes=1)  # between hosts, at most: an ended session is looked for that much further back
MOST_CONNECTIONS = 20  # of one person to one process


class Frame(NamedTuple):
    """An event, encoded once for all who follow the room. `out` is who may not read what follows."""

    seq: int
    text: str
    wire: bytes
    out: uuid.UUID | None
    deletes: bool


class Cursor:
    """How far a reader has come in a room: sent up to `sent`, and there are events up to `head`."""

    __slots__ = ("caught_up", "head", "sent")

    def __init__(self, sent: int, head: int) -> None:
        self.sent = sent
        self.head = head
        self.caught_up = False


class Follower(Protocol):
    """What the hub knows of whoever is connected (`app.live.reader.Reader`). Its methods return at once."""

    user_id: uuid.UUID
    session_id: uuid.UUID

    @property
    def expired(self) -> bool: ...
    def deliver(self, cursor: Cursor, frames: Sequence[Frame]) -> None: ...
    def tell(self, text: str, key: object = None) -> None: ...
    def end_session(self) -> None: ...
    def drain(self) -> None: ...


type Watcher = Callable[[Follower, uuid.UUID, bool], None]
"""What an extra may want to know: who follows which room, from now on (True) or no longer."""


class Feed:
    """A room in this process: its newest events, and who follows it."""

    def __init__(self, room_id: uuid.UUID, head: int) -> None:
        self.room_id = room_id
        self.head = head
        self.ring: deque[Frame] = deque(maxlen=RING)
        self.followers: dict[Follower, Cursor] = {}
        self.filling = asyncio.Lock()

    def extend(self, frames: Sequence[Frame]) -> None:
        """Take the next events of the log. They follow `head` without a gap: commits are in the order of numbers."""
        self.ring.extend(frames)
        self.head = frames[-1].seq
        for follower, cursor in list(self.followers.items()):
            follower.deliver(cursor, frames)
        if any(frame.deletes for frame in frames):
            self.ring.clear()  # it has the words; in the log they are no more

    def since(self, seq: int) -> list[Frame] | None:
        """The events after `seq` that the ring has; None when it does not reach back that far."""
        missing = self.head - seq
        if missing > len(self.ring):
            return None
        return [self.ring[index] for index in range(len(self.ring) - missing, len(self.ring))]

    def fill(self, frames: Sequence[Frame]) -> None:
        """Take events of the log that come before those of the ring, as many as there is place for."""
        first = self.head - len(self.ring) + 1
        older = [frame for frame in frames if frame.seq < first]
        place = RING - len(self.ring)
        self.ring.extendleft(reversed(older[-place:] if place else []))


class Hub:
    """The feeds of this process, who is connected, and the one task that keeps the feeds up to date."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self.watchers: list[Watcher] = []
        self.handlers: dict[type[FromClient], Callable[[Follower, Any], Awaitable[None]]] = {}
        self.draining = False
        self.measure: Callable[[str, float], None] = lambda _what, _value: None
        self.connections: set[Follower] = set()
        self._database = database
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._of_user: Counter[uuid.UUID] = Counter()
        self._news: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._stopped = False
        self._poll_seconds = POLL.total_seconds()
        self._polled_at = now()
        self._client_message: TypeAdapter[FromClient] | None = None
        broker.listen(self._hear)

    def connect(self, follower: Follower) -> None:
        """Let somebody in. Raises TooManyConnections."""
        if self._of_user[follower.user_id] >= MOST_CONNECTIONS:
            raise TooManyConnections(f"Close some: {MOST_CONNECTIONS} at once are enough.")
        self._of_user[follower.user_id] += 1
        self.connections.add(follower)
        if self.draining:
            follower.drain()

    def disconnect(self, follower: Follower) -> None:
        """Forget a connection, and the rooms that nobody follows any more."""
        if follower not in self.connections:
            return
        self.connections.discard(follower)
        self._of_user[follower.user_id] -= 1
        if not self._of_user[follower.user_id]:
            del self._of_user[follower.user_id]
        for room_id in [room_id for room_id, feed in self._feeds.items() if follower in feed.followers]:
            self.unfollow(follower, room_id)

    def follow(self, follower: Follower, room_id: uuid.UUID, head: int, cursor: Cursor | None = None) -> None:
        """Hand on the room's news from now on. `head` is the room's last event, just read."""
        if follower not in self.connections:
            return  # gone while that was read
        feed = self._feeds.get(room_id)
        if feed is None:
            feed = self._feeds[room_id] = Feed(room_id, head)
        cursor = feed.followers[follower] = cursor or Cursor(sent=head, head=head)
        if head > feed.head:
            self._hear(Hint("room", room_id))
        elif missed := feed.since(head):
            follower.deliver(cursor, missed)  # said while `head` was on its way from the database
        for watcher in self.watchers:
            watcher(follower, room_id, True)

    def unfollow(self, follower: Follower, room_id: uuid.UUID) -> None:
        feed = self._feeds.get(room_id)
        if feed is None or follower not in feed.followers:
            return
        del feed.followers[follower]
        if not feed.followers:
            del self._feeds[room_id]
        for watcher in self.watchers:
            watcher(follower, room_id, False)

    def tell(self, room_id: uuid.UUID, message: FromServer, *, replaces: bool = False) -> None:
        """Tell all who follow the room, here, something for the moment, or a state that replaces the one before."""
        key = (type(message), room_id) if replaces else None
        feed = self._feeds.get(room_id)
        text = message.frame()
        for follower in list(feed.followers) if feed else ():
            follower.tell(text, key)

    async def events(self, room_id: uuid.UUID, after: int) -> Sequence[Frame]:
        """What follows `after` in the room: from the ring, or for those who come from further back from the log.

        After a restart the ring is empty and all come back at once: one reads the log for the ring, the others wait.
        """
        feed = self._feeds.get(room_id)
        if feed is None or feed.head - after > RING:
            self.measure("resumed from the log", 1)
            return await self._read(room_id, after, PAGE)
        if feed.since(after) is None:
            async with feed.filling:
                if feed.since(after) is None:
                    feed.fill(await self._read(room_id, max(0, feed.head - RING), RING))
        self.measure("resumed from the ring", 1)
        # The reader may know of events that have not come to the ring yet.
        return feed.since(after) or await self._read(room_id, after, PAGE)

    def parse(self, text: str) -> FromClient:
        """A client's message: those of the core, and those that extras have handlers for. Raises ValidationError."""
        if self._client_message is None:
            kinds: Any = Annotated[reduce(or_, (*FROM_CLIENT, *self.handlers)), Field(discriminator="type")]
            self._client_message = TypeAdapter(kinds)
        return self._client_message.validate_json(text)

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

    def drain(self) -> None:
        """The process ends: let everybody have what is due, and go. Each connection that is told to end calls it."""
        if self.draining:
            return
        self.draining = True
        for follower in list(self.connections):
            follower.drain()

    def stop(self) -> None:
        """Let `run` come to its end; cancelled in the middle of a question it would leak a database connection."""
        self._stopped = True
        self._woken.set()

    def _hear(self, hint: Hint) -> None:
        if hint.kind == "session":
            self._end_sessions([hint.id])
        elif hint.kind == "room" and (feed := self._feeds.get(hint.id)):
            if hint.event is not None and hint.event.seq == feed.head + 1 and hint.id not in self._news:
                # Said in this process: what follows the last event without a gap need not be read from the log.
                self._extend(feed, [encode(hint.event)])
            else:
                self._news.add(hint.id)
                self._woken.set()

    def _end_sessions(self, session_ids: Sequence[uuid.UUID]) -> None:
        ended = set(session_ids)
        for follower in [each for each in self.connections if each.session_id in ended or each.expired]:
            follower.end_session()

    async def _poll(self) -> None:
        """Look for what no hint told: rooms that moved on and sessions that ended, in other processes perhaps."""
        started = now()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            ended = await ended_since(self._database, self._polled_at - CLOCKS_DIFFER) if self.connections else []
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
            frames = await self._read(room_id, feed.head, PAGE)
        # While the log was read, something may have been said in this process, and is in the ring already.
        new = [frame for frame in frames if frame.seq > feed.head]
        # Or the room was left by all, and entered again.
        if new and self._feeds.get(room_id) is feed:
            if new[0].seq != feed.head + 1:
                feed.ring.clear()  # what was between has been deleted by age; the ring is without gaps
            self._extend(feed, new)
        if len(frames) == PAGE:
            self._news.add(room_id)

    def _extend(self, feed: Feed, frames: Sequence[Frame]) -> None:
        started = time.perf_counter()
        feed.extend(frames)
        self.measure("fan-out", time.perf_counter() - started)

    async def _read(self, room_id: uuid.UUID, after: int, limit: int) -> Sequence[Frame]:
        rows = await log.after(self._database, room_id=room_id, seq=after, limit=limit)
        return [encode(row) for row in rows]


def encode(row: models.Event) -> Frame:
    """An event as JSON, and as the frame (RFC 6455, section 5.2) that goes to every socket as it is."""
    text = RoomEvent(room=row.room_id, event=Event.model_validate(row)).frame()
    wire = WebSocketFrame(Opcode.TEXT, text.encode()).serialize(mask=False)
    return Frame(row.seq, text, wire, row.subject_id if row.kind == "left" else None, row.kind == "deleted")
