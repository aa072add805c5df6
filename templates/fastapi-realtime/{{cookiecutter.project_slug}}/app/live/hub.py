"""The hub: one per process. It reads each room's log once, and hands what is new to all who follow the room.

A reader has no queue of events: it has a cursor per room, into a ring that all share. So a thousand readers of a room
cost one copy of its events, and the memory of a slow one is bounded without counting.
"""

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from app.accounts.services import ended_since
from app.broker import Hint
from app.database import Database, now
from app.live.errors import TooManyConnections
from app.live.schemas import FROM_CLIENT, FromClient, FromServer, RoomEvent
from app.messages.schemas import Event
from app.rooms import log, models

if TYPE_CHECKING:
    from app.live.reader import Reader

logger = logging.getLogger(__name__)

POLL = timedelta(seconds=2)  # the longest that a lost hint, or another process without a broker, can delay news
RING = 512  # the events of a room that are kept for those who are a little behind
PAGE = 200  # the events that one question to the log brings
PATIENCE = timedelta(seconds=10)  # with a database that does not answer; then the question is asked again
CLOCKS_DIFFER = timedelta(minutes=1)  # between hosts, at most: an ended session is looked for that much further back
SIGNED_OUT = 4401  # the close code when the session is over: sign in first
MOST_CONNECTIONS = 20  # of one person to one process


class Frame(NamedTuple):
    """An event, encoded once for all who follow the room. `out` is who may not read what follows."""

    seq: int
    text: str
    wire: bytes
    out: uuid.UUID | None
    deletes: bool


type Watcher = Callable[[Reader, uuid.UUID, bool], None]
"""What an extra may want to know: who follows which room, from now on (True) or no longer."""


class Feed:
    """A room in this process: its newest events, and who follows it."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.ring: list[Frame] = []
        self.readers: set[Reader] = set()
        self.filling = asyncio.Lock()

    def since(self, seq: int) -> list[Frame] | None:
        """The events after `seq` that the ring has; None when it does not reach back that far."""
        place = len(self.ring) - (self.head - seq)
        return self.ring[place:] if place >= 0 else None


class Hub:
    """The feeds of this process, who is connected, and the one task that keeps the feeds up to date."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connections: set[Reader] = set()
        self.draining = False
        # For extras: who want to know, who answer further messages, and who count.
        self.watchers: list[Watcher] = []
        self.handlers: dict[type[FromClient], Callable[[Reader, Any], Awaitable[FromServer | None]]] = {}
        self.measure: Callable[[str, float], None] = lambda _what, _value: None
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._of_user: Counter[uuid.UUID] = Counter()
        self._news: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._stopped = False
        self._poll_seconds = POLL.total_seconds()
        self._polled_at = now()
        database.broker.listen(self._hear)

    @cached_property
    def from_client(self) -> TypeAdapter[FromClient]:
        """What a client may say: the messages of the core, and those that extras have handlers for."""
        kinds: Any = Annotated[reduce(or_, (*FROM_CLIENT, *self.handlers)), Field(discriminator="type")]
        return TypeAdapter(kinds)

    def connect(self, reader: "Reader") -> None:
        """Let somebody in. Raises TooManyConnections."""
        if self._of_user[reader.caller.user_id] >= MOST_CONNECTIONS:
            raise TooManyConnections(f"Close some: {MOST_CONNECTIONS} at once are enough.")
        self._of_user[reader.caller.user_id] += 1
        self.connections.add(reader)
        if self.draining:
            reader.drain()

    def disconnect(self, reader: "Reader") -> None:
        """Forget a connection, and the rooms that nobody follows any more."""
        if reader in self.connections:
            self.connections.discard(reader)
            self._of_user.subtract([reader.caller.user_id])
            if not self._of_user[reader.caller.user_id]:
                del self._of_user[reader.caller.user_id]
            for room_id in [room_id for room_id, feed in self._feeds.items() if reader in feed.readers]:
                self.unfollow(reader, room_id)

    def follow(self, reader: "Reader", room_id: uuid.UUID, head: int) -> None:
        """Hand on the room's news from now on. `head` is the room's last event, just read."""
        if reader not in self.connections:
            return  # gone while that was read
        feed = self._feeds.setdefault(room_id, Feed(head))
        feed.readers.add(reader)
        if head > feed.head:
            self._hear(Hint("room", room_id))
        elif missed := feed.since(head):
            reader.deliver(room_id, missed)  # said while `head` was on its way from the database
        for watcher in self.watchers:
            watcher(reader, room_id, True)

    def unfollow(self, reader: "Reader", room_id: uuid.UUID) -> None:
        """Hand on no more of a room."""
        feed = self._feeds.get(room_id)
        if feed and reader in feed.readers:
            feed.readers.discard(reader)
            if not feed.readers:
                del self._feeds[room_id]
            for watcher in self.watchers:
                watcher(reader, room_id, False)

    def tell(self, room_id: uuid.UUID, message: FromServer, *, replaces: bool = False) -> None:
        """Tell all who follow the room, here, something for the moment, or a state that replaces the one before."""
        text = message.frame()
        for reader in list(self._feeds[room_id].readers) if room_id in self._feeds else ():
            reader.tell(text, (type(message), room_id) if replaces else None)

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
                    older = await self._read(room_id, max(0, feed.head - RING), RING)
                    first = feed.head - len(feed.ring)  # what has come meanwhile is there
                    feed.ring = [*(each for each in older if each.seq <= first), *feed.ring][-RING:]
        self.measure("resumed from the ring", 1)
        # The reader may know of events that have not come to the ring yet.
        return feed.since(after) or await self._read(room_id, after, PAGE)

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
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(next_poll):
                        await self._woken.wait()

    def drain(self) -> None:
        """The process ends: let everybody have what is due, and go. Each connection that is told to end calls it."""
        if not self.draining:
            self.draining = True
            for reader in list(self.connections):
                reader.drain()

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
                self._extend(hint.id, feed, [encode(hint.event)])
            else:
                self._news.add(hint.id)
                self._woken.set()

    def _end_sessions(self, session_ids: Sequence[uuid.UUID]) -> None:
        moment, ended = now(), set(session_ids)
        for reader in list(self.connections):
            if reader.caller.session_id in ended or reader.caller.expires_at <= moment:
                reader.close(SIGNED_OUT, "Your session has ended.")

    async def _poll(self) -> None:
        """Look for what no hint told: rooms that moved on and sessions that ended, in other processes perhaps."""
        started = now()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            ended = await ended_since(self.database, self._polled_at - CLOCKS_DIFFER) if self.connections else []
            heads = await log.heads(self.database, list(self._feeds)) if self._feeds else {}
        self._polled_at = started
        self._end_sessions(ended)
        self._news |= {id_ for id_, head in heads.items() if id_ in self._feeds and head > self._feeds[id_].head}

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
            self._extend(room_id, feed, new)
        if len(frames) == PAGE:
            self._news.add(room_id)

    def _extend(self, room_id: uuid.UUID, feed: Feed, frames: Sequence[Frame]) -> None:
        """Take the next events of the log, and hand them on."""
        started = time.perf_counter()
        feed.ring = [*feed.ring, *frames][-RING:]
        feed.head = frames[-1].seq
        for reader in list(feed.readers):
            reader.deliver(room_id, frames)
        if any(frame.deletes for frame in frames):
            feed.ring.clear()  # it has the words; in the log they are no more
        self.measure("fan-out", time.perf_counter() - started)

    async def _read(self, room_id: uuid.UUID, after: int, limit: int) -> Sequence[Frame]:
        rows = await log.after(self.database, room_id=room_id, seq=after, limit=limit)
        return [encode(row) for row in rows]


def encode(row: models.Event) -> Frame:
    """An event as JSON, and as the frame (RFC 6455, section 5.2) that goes to every socket as it is."""
    text = RoomEvent(room=row.room_id, event=Event.model_validate(row)).frame()
    wire = WebSocketFrame(Opcode.TEXT, text.encode()).serialize(mask=False)
    return Frame(row.seq, text, wire, row.subject_id if row.kind == "left" else None, row.kind == "deleted")
