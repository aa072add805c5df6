"""A socket: reads what a client asks, writes what it is to know, and keeps slowness to itself."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.accounts.services import Caller
from app.broker import Broker
from app.database import Database
from app.live import schemas
from app.live.errors import TooFast
from app.live.hub import Frame, Hub
from app.live.limits import TokenBucket
from app.live.reader import RESTART, TRY_AGAIN, UNSUPPORTED, Reader
from app.messages import services as messages
from app.messages.schemas import ClientId, Person, Receipt
from app.problems import Problem, field_errors, problem
from app.rooms.models import Event

logger = logging.getLogger(__name__)

MOST_REPLIES = 32  # answers that wait to be sent; while there are so many, no further request is read
CLOSE_GRACE = timedelta(seconds=5)  # for a close frame to get through
ACTS: dict[str, Callable[..., Awaitable[Event]]] = {
    "publish": messages.publish,
    "edit": messages.edit,
    "delete": messages.delete,
}
RATE, BURST = 20, 200  # requests per second, and at once: who comes back subscribes to all rooms in one go


class Socket(Reader):
    """One open socket of a person who is signed in. `serve` runs until either side closes it."""

    def __init__(self, socket: WebSocket, caller: Caller, *, database: Database, broker: Broker, hub: Hub) -> None:
        super().__init__(caller, database=database, hub=hub)
        self._socket = socket
        self._broker = broker
        self._replies: deque[str] = deque()
        self._room_for_replies = asyncio.Event()
        self._bucket = TokenBucket(rate=RATE, burst=BURST)
        self._push: Callable[[bytes], bool] | None = socket.scope.get("extensions", {}).get("push")
        self._waiting = self._answering = self._gone = False

    async def serve(self) -> None:
        """Greet, then read and write until either side closes."""
        self._reply(schemas.Hello(you=Person(id=self.user_id, name=self.name)))
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

    def deliver(self, room_id: uuid.UUID, frames: Sequence[Frame]) -> None:
        """There is news. Who has all so far gets it at once, as bytes that are the same for all: no task wakes."""
        cursor = self._cursors.get(room_id)
        if self._push and self._waiting and cursor and not self._work.is_set():
            for frame in frames:
                if frame.seq != cursor.sent + 1 or frame.out == self.user_id or not self._push(frame.wire):
                    break
                cursor.sent = cursor.head = frame.seq
        super().deliver(room_id, frames)

    def close(self, code: int, reason: str) -> None:
        if self._closing is None:
            # A peer that reads nothing does not read the close frame either.
            asyncio.get_running_loop().call_later(CLOSE_GRACE.total_seconds(), self._writer.cancel)
        super().close(code, reason)

    # Reading

    async def _read(self) -> None:
        while self._closing is None and not self._gone and not self._draining:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                self.close(UNSUPPORTED, "Send text frames.")
                continue
            self._answering = True
            await self._answer(text)
            self._answering = False
            self._work.set()
            while len(self._replies) >= MOST_REPLIES and not self._gone:
                # Who does not fetch the answers is not asked for more questions: TCP passes that on.
                self._room_for_replies.clear()
                await self._room_for_replies.wait()
        await self._writer

    async def _answer(self, text: str) -> None:
        try:
            message = self._hub.parse(text)
        except ValidationError as error:
            invalid = problem(422, "invalid", "The message is not valid")
            faults = field_errors(error.errors(include_url=False, include_context=False, include_input=False))
            self._reply(schemas.Failed(**_what_it_was(text), problem=invalid | {"errors": faults}))
            return
        try:
            if seconds := self._bucket.take():
                raise TooFast(f"Try again in {seconds:.1f} seconds.")
            await self._do(message)
        except Problem as error:
            self._fail(message, error.as_dict())
        except (SQLAlchemyError, OSError) as error:
            logger.warning("The database does not answer: %s", type(error).__name__)
            self._fail(message, problem(503, "unavailable", "The server cannot do this now", "Try again."))

    async def _do(self, message: schemas.FromClient) -> None:
        match message:
            case schemas.Publish() | schemas.Edit() | schemas.Delete():
                said = message.model_dump(exclude={"v", "type", "room"})
                event = await ACTS[message.type](
                    self._database, self._broker, room_id=message.room, actor_id=self.user_id, **said
                )
                self._reply(schemas.Ack(room=message.room, receipt=Receipt.model_validate(event)))
            case schemas.Subscribe():
                self._reply(await self.follow(message.room, after=message.after, epoch=message.epoch))
            case schemas.Unsubscribe(room=room):
                self.leave(room)
            case schemas.Ping():
                self._reply(schemas.Pong())
            case _:
                await self._hub.handlers[type(message)](self, message)

    def _fail(self, message: schemas.FromClient, why: dict[str, Any]) -> None:
        room, client_id = getattr(message, "room", None), getattr(message, "client_id", None)
        self._reply(schemas.Failed(room=room, client_id=client_id, problem=why))

    # Writing

    def _reply(self, message: schemas.FromServer) -> None:
        self._replies.append(message.frame())
        self._work.set()

    async def _write(self) -> None:
        """The only place that sends. Answers go before events."""
        try:
            await self._write_until_closed()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("A connection cannot read the log: %s", type(error).__name__)
            self.close(TRY_AGAIN, "The database does not answer. Try again.")
        if self._closing:
            await self._socket.close(*self._closing)

    async def _write_until_closed(self) -> None:
        while self._closing is None and not self._gone:
            self._work.clear()
            while self._replies and self._closing is None:
                await self._socket.send_text(self._replies.popleft())
                self._room_for_replies.set()
            async for each in self.due():
                await self._socket.send_text(each.text)
            if self._draining and not self._answering and not self._work.is_set():
                self.close(RESTART, "The server restarts. Reconnect.")
            self._waiting = True
            await self._work.wait()
            self._waiting = False


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
