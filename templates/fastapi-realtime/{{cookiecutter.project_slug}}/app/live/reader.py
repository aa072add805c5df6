"""A reader: somebody who follows rooms, over a socket or a stream. It knows what was sent and what is due."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from app.accounts.services import Caller
from app.live import schemas
from app.live.errors import TooManyRooms
from app.live.hub import RING, Frame, Hub
from app.rooms import log
from app.rooms.errors import RoomNotFound

# Close codes. 1007 (no UTF-8) is the server's own.
UNSUPPORTED = 1003  # a binary frame
TOO_BIG = 1009  # a message over 64 KiB
RESTART = 1012  # the process ends: reconnect, to another one
TRY_AGAIN = 1013  # too slow: come back and go on after the last event that you applied

MOST_ROOMS = 100  # rooms that one reader may follow
MOST_NOTES = 16  # things for the moment that wait to be sent; further ones are dropped

type Due = tuple[str, str | None]
"""What is to be sent next, and where it stands among the events of all rooms: the id for `Last-Event-ID`."""


class Cursor:
    """How far a reader has come in a room: sent up to `sent`, and there are events up to `head`."""

    __slots__ = ("caught_up", "head", "sent")

    def __init__(self, sent: int, head: int) -> None:
        self.sent = sent
        self.head = head
        self.caught_up = False


class Reader:
    """Base of a socket and of a stream: both send what `due` brings, whenever `work` is set."""

    def __init__(self, caller: Caller, hub: Hub) -> None:
        self.caller = caller
        self._hub = hub
        self._cursors: dict[uuid.UUID, Cursor] = {}
        self._notes: dict[object, str] = {}
        self._work = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._draining = False

    @property
    def behind(self) -> int:
        """The events that wait to be sent."""
        return sum(cursor.head - cursor.sent for cursor in self._cursors.values())

    async def follow(self, room_id: uuid.UUID, after: int, epoch: uuid.UUID | None = None) -> schemas.FromServer:
        """Begin to read a room. Raises RoomNotFound or TooManyRooms."""
        if room_id not in self._cursors and len(self._cursors) >= MOST_ROOMS:
            raise TooManyRooms(f"Follow at most {MOST_ROOMS} rooms at once.")
        begin, end, now = await log.position(self._hub.database, room_id=room_id, user_id=self.caller.user_id)
        self.leave(room_id)
        if epoch not in (None, now) or not begin <= after <= end:
            self._hub.measure("reset", 1)
            return schemas.Reset(room=room_id, after=begin, seq=end, epoch=now)
        self._cursors[room_id] = Cursor(sent=after, head=end)
        self._work.set()  # first, so that nothing is pushed past the answer
        self._hub.follow(self, room_id, end)
        return schemas.Subscribed(room=room_id, seq=end, epoch=now)

    def follows(self, room_id: uuid.UUID) -> bool:
        """Whether it reads this room, which only members can."""
        return room_id in self._cursors

    def leave(self, room_id: uuid.UUID) -> None:
        """Read no more of a room."""
        if self._cursors.pop(room_id, None):
            self._hub.unfollow(self, room_id)

    # What the hub calls

    def deliver(self, room_id: uuid.UUID, frames: Sequence[Frame]) -> None:
        """There is news. Whoever had caught up and has fallen out of the ring since is too slow."""
        cursor = self._cursors[room_id]
        if frames[-1].seq <= cursor.head:
            return
        cursor.head = frames[-1].seq
        if cursor.caught_up and cursor.head - cursor.sent > RING:
            self._hub.measure("too slow", 1)
            self.close(TRY_AGAIN, "You read too slowly. Reconnect and go on after the last event that you have.")
        self._work.set()

    def tell(self, text: str, key: object = None) -> None:
        """Something for the moment. Who is busy does not get it, or of a state, which has a key, the newest later."""
        if key or len(self._notes) < MOST_NOTES:
            self._notes[key or object()] = text
            self._work.set()

    def drain(self) -> None:
        """The process ends: send what is due, then close."""
        self._draining = True
        self._work.set()

    def close(self, code: int, reason: str) -> None:
        """Stop as soon as what is being sent is sent. The first reason counts."""
        if self._closing is None:
            self._closing = code, reason
            self._work.set()

    # What the one task that sends calls

    async def due(self) -> AsyncIterator[Due]:
        """What is to be sent now: a page per room in turn, then the notes. What was yielded is sent when we go on."""
        for room_id, cursor in list(self._cursors.items()):
            if cursor.sent < cursor.head:
                async for each in self._events(room_id, cursor):
                    yield each
        while self._notes:
            yield self._notes.pop(next(iter(self._notes))), None
        for cursor in self._cursors.values():
            if cursor.sent < cursor.head:
                self._work.set()
            else:
                cursor.caught_up = True

    async def _events(self, room_id: uuid.UUID, cursor: Cursor) -> AsyncIterator[Due]:
        frames = await unharmed(self._hub.events(room_id, cursor.sent))
        # Deleted by age, while it was on its way to somebody who comes from far back.
        torn = not frames or frames[0].seq != cursor.sent + 1
        for frame in () if torn else frames:
            # Unsubscribed, subscribed anew or closed while the one before was sent.
            if self._cursors.get(room_id) is not cursor or self._closing:
                return
            yield frame.text, f"{room_id}.{frame.seq}"
            cursor.sent = frame.seq
            if torn := frame.out == self.caller.user_id:
                break
        if torn and self._cursors.get(room_id) is cursor:
            yield (await unharmed(self._follow_again(room_id, cursor.sent))).frame(), None

    async def _follow_again(self, room_id: uuid.UUID, after: int) -> schemas.FromServer:
        """Go on where that is not a matter of course: shown out, but perhaps let in again since; or lost, by age."""
        self.leave(room_id)
        try:
            return await self.follow(room_id, after)
        except RoomNotFound:
            return schemas.Ended(room=room_id)


async def unharmed[Result](question: Coroutine[Any, Any, Result]) -> Result:
    """Ask the database, to the end even when whoever asked is cancelled: amid a question it would leak a connection."""
    return await asyncio.shield(asyncio.create_task(question))
