"""A connection: reads what a client asks, writes what it is to know, and keeps slowness to itself."""

import asyncio
import logging
import uuid
from collections import deque
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.accounts.services import Caller
from app.broker import Broker
from app.database import Database, now
from app.live import schemas
from app.live.errors import TooManyRooms
from app.live.hub import RING, Hub
from app.messages import services as messages
from app.messages.schemas import ClientId, Person, Receipt
from app.problems import Problem, field_errors, problem
from app.rooms import services as rooms
from app.rooms.errors import RoomNotFound

logger = logging.getLogger(__name__)

# Close codes. 1012 (restart) and 1009 (too big) are the server's own.
UNSUPPORTED = 1003  # a binary frame
TRY_AGAIN = 1013  # too slow: come back and go on after the last event that you applied
SIGNED_OUT = 4401  # the session is over: sign in first

MOST_REPLIES = 32  # answers that wait to be sent; while there are so many, no further request is read
MOST_ROOMS = 100  # rooms that one connection may follow
CLOSE_GRACE = timedelta(seconds=5)  # for a close frame to get through


class Cursor:
    """How far a connection has come in a room: sent up to `sent`, and there are events up to `head`."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        self.head = sent
        self.caught_up = False


class Connection:
    """One open socket of a person who is signed in. `serve` runs until either side closes it."""

    def __init__(self, socket: WebSocket, caller: Caller, *, database: Database, broker: Broker, hub: Hub) -> None:
        self.user_id = caller.user_id
        self.session_id = caller.session_id
        self._expires_at = caller.expires_at
        self._name = caller.name
        self._socket = socket
        self._database = database
        self._broker = broker
        self._hub = hub
        self._cursors: dict[uuid.UUID, Cursor] = {}
        self._replies: deque[str] = deque()
        self._room_for_replies = asyncio.Event()
        self._work = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._gone = False

    @property
    def expired(self) -> bool:
        """Whether the session that opened the connection has come to its end."""
        return self._expires_at <= now()

    async def serve(self) -> None:
        """Greet, then read and write until either side closes."""
        self._hub.connect(self)
        self._reply(schemas.Hello(you=Person(id=self.user_id, name=self._name)))
        self._writer = asyncio.create_task(self._write())
        tasks = {self._writer, asyncio.create_task(self._read())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.disconnect(self)
            self._gone = True
            self._work.set()
            self._room_for_replies.set()
            # Each comes to its end by itself: cancelled amid a question it would leak a database connection.
            await asyncio.wait(tasks, timeout=CLOSE_GRACE.total_seconds())
            for task in tasks:
                task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    # What the hub calls

    def wake(self, room_id: uuid.UUID, head: int) -> None:
        """There are events up to `head`. Whoever had caught up and has fallen out of the ring since is too slow."""
        cursor = self._cursors.get(room_id)
        if cursor is None:
            return
        cursor.head = head
        if cursor.caught_up and head - cursor.sent > RING:
            self._close(TRY_AGAIN, "You read too slowly. Reconnect and go on after the last event that you have.")
        self._work.set()

    def end_session(self) -> None:
        """The session is over: close."""
        self._close(SIGNED_OUT, "Your session has ended.")

    # Reading

    async def _read(self) -> None:
        while self._closing is None and not self._gone:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                self._close(UNSUPPORTED, "Send text frames.")
                continue
            await self._answer(text)
            while len(self._replies) >= MOST_REPLIES and not self._gone:
                # Who does not fetch the answers is not asked for more questions: TCP passes that on.
                self._room_for_replies.clear()
                await self._room_for_replies.wait()

    async def _answer(self, text: str) -> None:
        try:
            message = schemas.client_message.validate_json(text)
        except ValidationError as error:
            invalid = problem(422, "invalid", "The message is not valid")
            faults = field_errors(error.errors(include_url=False, include_context=False, include_input=False))
            self._reply(schemas.Failed(**_what_it_was(text), problem=invalid | {"errors": faults}))
            return
        try:
            match message:
                case schemas.Publish():
                    await self._publish(message)
                case schemas.Subscribe():
                    await self._subscribe(message)
                case schemas.Unsubscribe(room=room_id):
                    self._leave(room_id)
                case schemas.Ping():
                    self._reply(schemas.Pong())
        except Problem as error:
            self._fail(message, error.as_dict())
        except (SQLAlchemyError, OSError) as error:
            logger.warning("The database does not answer: %s", type(error).__name__)
            self._fail(message, problem(503, "unavailable", "The server cannot do this now", "Try again."))

    def _fail(self, message: schemas.ClientMessage, why: dict[str, Any]) -> None:
        room, client_id = getattr(message, "room", None), getattr(message, "client_id", None)
        self._reply(schemas.Failed(room=room, client_id=client_id, problem=why))

    async def _publish(self, message: schemas.Publish) -> None:
        event = await messages.publish(
            self._database,
            self._broker,
            room_id=message.room,
            actor_id=self.user_id,
            client_id=message.client_id,
            body=message.body,
        )
        self._reply(schemas.Ack(room=message.room, receipt=Receipt.of(event)))

    async def _subscribe(self, message: schemas.Subscribe) -> None:
        if message.room not in self._cursors and len(self._cursors) >= MOST_ROOMS:
            raise TooManyRooms(f"Follow at most {MOST_ROOMS} rooms at once.")
        member = await rooms.get_room(self._database, room_id=message.room, user_id=self.user_id)
        room = member.room
        self._leave(message.room)
        self._cursors[message.room] = Cursor(sent=min(message.after, room.seq))
        self._reply(schemas.Subscribed(room=room.id, seq=room.seq, epoch=room.epoch))
        self._hub.follow(self, message.room, room.seq)

    def _leave(self, room_id: uuid.UUID) -> None:
        self._cursors.pop(room_id, None)
        self._hub.unfollow(self, room_id)

    # Writing

    def _reply(self, message: schemas._FromServer) -> None:
        self._replies.append(message.frame())
        self._work.set()

    def _close(self, code: int, reason: str) -> None:
        if self._closing is None:
            self._closing = code, reason
            self._work.set()
            # A peer that reads nothing does not read the close frame either.
            asyncio.get_running_loop().call_later(CLOSE_GRACE.total_seconds(), self._writer.cancel)

    async def _write(self) -> None:
        """The only place that sends. Answers go before events; of the events, a page per room in turn."""
        try:
            await self._write_until_closed()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("A connection cannot read the log: %s", type(error).__name__)
            self._close(TRY_AGAIN, "The database does not answer. Try again.")
        if self._closing:
            await self._socket.close(*self._closing)

    async def _write_until_closed(self) -> None:
        while self._closing is None and not self._gone:
            self._work.clear()
            while self._replies and self._closing is None:
                await self._socket.send_text(self._replies.popleft())
                self._room_for_replies.set()
            for room_id, cursor in list(self._cursors.items()):
                if cursor.sent < cursor.head:
                    await self._forward(room_id, cursor)
            for cursor in self._cursors.values():
                if cursor.sent < cursor.head:
                    self._work.set()
                else:
                    cursor.caught_up = True
            await self._work.wait()

    async def _forward(self, room_id: uuid.UUID, cursor: Cursor) -> None:
        for frame in await self._hub.events(room_id, cursor.sent):
            # Unsubscribed, subscribed anew or closed while the one before was sent.
            if self._cursors.get(room_id) is not cursor or self._closing:
                return
            await self._socket.send_text(frame.text)
            cursor.sent = frame.seq
            if frame.out == self.user_id and not await self._still_member(room_id):
                self._leave(room_id)
                self._reply(schemas.Ended(room=room_id))
                return

    async def _still_member(self, room_id: uuid.UUID) -> bool:
        """Whoever was shown out may have been let in again since: then the log goes on for them."""
        try:
            await rooms.get_room(self._database, room_id=room_id, user_id=self.user_id)
        except RoomNotFound:
            return False
        return True


def _what_it_was(text: str) -> dict[str, Any]:
    """The room and the client id of a message that is not valid, so that its sender knows which of many it was."""
    try:
        message = _Named.model_validate_json(text)
    except ValidationError:
        return {}
    return message.model_dump()


class _Named(BaseModel):
    room: uuid.UUID | None = None
    client_id: ClientId | None = None
