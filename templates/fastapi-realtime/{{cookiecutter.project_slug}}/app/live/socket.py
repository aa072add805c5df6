"""A socket: reads what a client asks, writes what it is to know, and keeps slowness to itself."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, MutableMapping, Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.accounts.schemas import Person
from app.accounts.services import Caller
from app.live import schemas
from app.live.errors import TooFast
from app.live.hub import Frame, Hub
from app.live.reader import RESTART, TOO_BIG, TRY_AGAIN, UNSUPPORTED, Reader
from app.messages.schemas import Receipt
from app.messages.services import publish
from app.problems import Problem, field_errors, problem

logger = logging.getLogger(__name__)

CLOSE_GRACE = timedelta(seconds=5)  # for a close frame to get through
MOST_REPLIES = 32  # answers that wait to be sent; while there are so many, no further request is read
LONGEST_MESSAGE = 64 * 1024  # characters of JSON
RATE, BURST = 20, 200  # requests per second, and at once: who comes back subscribes to all rooms in one go


class TokenBucket:
    """Lets `burst` things pass at once, and `rate` more each second."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._each, self._most = 1 / rate, burst / rate
        self._full_at = 0.0

    def take(self) -> float:
        """0 when the next thing may pass; else the seconds until it may."""
        moment = time.monotonic()
        full_at = max(self._full_at, moment) + self._each
        if (wait := full_at - moment - self._most) > 0:
            return wait
        self._full_at = full_at
        return 0


class Socket(Reader):
    """One open socket of a person who is signed in. One task reads, one writes; whichever ends first ends the other.

    Another protocol is a subclass with its own `_take` and `_send_what_is_due`.
    """

    def __init__(self, caller: Caller, hub: Hub) -> None:
        super().__init__(caller, hub)
        self._bucket = TokenBucket(rate=RATE, burst=BURST)
        # Who does not fetch the answers is not asked for more questions: TCP passes that on.
        self._replies: asyncio.Queue[schemas.FromServer] = asyncio.Queue(MOST_REPLIES)
        self._push: Callable[[bytes], bool] | None = None
        self._idle = self._busy = self._gone = False
        self._writer: asyncio.Task[None] | None = None

    async def accept(self, socket: WebSocket) -> None:
        """Open the connection and serve it: with our own server after its middleware is done, else from within."""
        try:
            await socket.accept()
        except BaseException:
            self._hub.disconnect(self)
            raise
        extensions = socket.scope.get("extensions", {})
        if push := extensions.get("push"):
            self._push = push
            extensions["rest"] = self.serve
        else:
            await self.serve(socket)

    async def serve(self, socket: WebSocket) -> None:
        """Greet, then read and write until either side closes."""
        self._socket = socket
        self._greet()
        self._writer = writer = asyncio.create_task(self._write())
        tasks = {writer, asyncio.create_task(self._read(writer))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.disconnect(self)
            self._gone = True
            self._work.set()
            # Each comes to its end by itself: cancelled amid a question it would leak a database connection.
            await asyncio.wait(tasks, timeout=CLOSE_GRACE.total_seconds())
            for task in tasks:
                task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    def close(self, code: int, reason: str) -> None:
        if self._closing is None and self._writer:
            # A peer that reads nothing does not read the close frame either.
            asyncio.get_running_loop().call_later(CLOSE_GRACE.total_seconds(), self._writer.cancel)
        super().close(code, reason)

    def deliver(self, room_id: uuid.UUID, frames: Sequence[Frame]) -> None:
        """There is news. Who has all so far gets it at once, as bytes that are the same for all: no task wakes."""
        if self._push and self._idle and not self._work.is_set():
            cursor = self._cursors[room_id]
            for frame in frames:
                if frame.seq != cursor.sent + 1 or frame.out == self.caller.user_id or not self._push(frame.wire):
                    break
                cursor.sent = cursor.head = frame.seq
        super().deliver(room_id, frames)

    @property
    def _ending(self) -> bool:
        return self._closing is not None or self._gone

    async def _read(self, writer: asyncio.Task[None]) -> None:
        while not self._ending and not self._draining:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._busy = True
            await self._take(message)
            self._busy = False
            self._work.set()
        await writer  # what is due is still sent

    async def _write(self) -> None:
        try:
            while not self._ending:
                self._work.clear()
                await self._send_what_is_due()
                if self._draining and not self._busy and not self._work.is_set():
                    self.close(RESTART, "The server restarts. Reconnect.")
                self._idle = True
                await self._work.wait()
                self._idle = False
        except (SQLAlchemyError, OSError) as error:
            logger.warning("A connection cannot read the log: %s", type(error).__name__)
            self.close(TRY_AGAIN, "The database does not answer. Try again.")
        if self._closing:
            await self._socket.close(*self._closing)

    def _greet(self) -> None:
        self._replies.put_nowait(schemas.Hello(you=Person(id=self.caller.user_id, name=self.caller.name)))

    async def _take(self, frame: MutableMapping[str, Any]) -> None:
        """Do what the client asks for."""
        text = frame.get("text")
        if text is None:
            self.close(UNSUPPORTED, "Send text frames.")
        elif len(text) > LONGEST_MESSAGE:
            self.close(TOO_BIG, "Send shorter messages.")
        elif answer := await self._answer(text):
            await self._replies.put(answer)

    async def _send_what_is_due(self) -> None:
        """The only place that sends: answers, then events."""
        try:
            while not self._replies.empty() and not self._ending:
                await self._socket.send_text(self._replies.get_nowait().frame())
                if self._replies.empty():
                    await asyncio.sleep(0)  # one that waited for room comes in, and goes before what it announces
        finally:
            while not self._replies.empty():
                self._replies.get_nowait()  # at the end nobody waits for room any more
        async for text, _ in self.due():
            await self._socket.send_text(text)

    async def _answer(self, text: str) -> schemas.FromServer | None:
        try:
            if seconds := self._bucket.take():
                raise TooFast(f"Try again in {seconds:.1f} seconds.")
            return await self._do(self._hub.from_client.validate_json(text))
        except ValidationError as error:
            # Not all of them: one message can have thousands.
            faults = error.errors(include_url=False, include_context=False, include_input=False)[:20]
            why = problem(422, "invalid", "The message is not valid") | {"errors": field_errors(faults)}
        except Problem as error:
            why = error.as_dict()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("The database does not answer: %s", type(error).__name__)
            why = problem(503, "unavailable", "The server cannot do this now", "Try again.")
        try:
            about = schemas.About.model_validate_json(text)
        except ValidationError:
            about = schemas.About()
        return schemas.Failed(**dict(about), problem=why)

    async def _do(self, message: schemas.FromClient) -> schemas.FromServer | None:
        match message:
            case schemas.Publish(room=room, client_id=client_id, body=body):
                who = self.caller.user_id
                said = await publish(self._hub.database, room_id=room, actor_id=who, client_id=client_id, body=body)
                return schemas.Ack(room=room, receipt=Receipt.model_validate(said))
            case schemas.Subscribe():
                return await self.follow(message.room, message.after, message.epoch)
            case schemas.Unsubscribe(room=room):
                self.leave(room)
            case schemas.Ping():
                return schemas.Pong()
            case _:
                return await self._hub.handlers[type(message)](self, message)
        return None
