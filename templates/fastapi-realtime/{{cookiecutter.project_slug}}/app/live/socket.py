"""A socket: reads what a client asks, writes what it is to know, and keeps slowness to itself."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from app.accounts.services import Caller
from app.broker import Broker
from app.database import Database
from app.live import schemas
from app.live.errors import TooFast
from app.live.hub import Cursor, Frame, Hub
from app.live.limits import TokenBucket
from app.live.peer import Peer
from app.live.reader import RESTART, TOO_BIG, TRY_AGAIN, UNSUPPORTED
from app.messages import services as messages
from app.messages.schemas import ClientId, Person, Receipt
from app.problems import Problem, field_errors, problem
from app.rooms.models import Event

logger = logging.getLogger(__name__)

MOST_FAULTS = 20  # of one message that are named in the answer
MOST_REPLIES = 32  # answers that wait to be sent; while there are so many, no further request is read
LONGEST_MESSAGE = 64 * 1024  # characters of JSON
ACTS: dict[str, Callable[..., Awaitable[Event]]] = {
    "publish": messages.publish,
    "edit": messages.edit,
    "delete": messages.delete,
}
RATE, BURST = 20, 200  # requests per second, and at once: who comes back subscribes to all rooms in one go


class Socket(Peer):
    """One open socket of a person who is signed in. `serve` runs until either side closes it."""

    def __init__(self, caller: Caller, *, database: Database, broker: Broker, hub: Hub) -> None:
        super().__init__(caller, database=database, hub=hub)
        self._broker = broker
        self._replies: list[str] = []
        self._room_for_replies: asyncio.Event | None = None
        self._bucket = TokenBucket(rate=RATE, burst=BURST)
        self._waiting = False

    async def serve(self, socket: WebSocket) -> None:
        """Greet, then answer and hand on until either side closes."""
        self._reply(schemas.Hello(you=Person(id=self.user_id, name=self.name)))
        await super().serve(socket)

    def deliver(self, cursor: Cursor, frames: Sequence[Frame]) -> None:
        """There is news. Who has all so far gets it at once, as bytes that are the same for all: no task wakes."""
        if self._push and self._waiting and not self._work.is_set():
            for frame in frames:
                if frame.seq != cursor.sent + 1 or frame.out == self.user_id or not self._push(frame.wire):
                    return super().deliver(cursor, frames)
                cursor.sent = cursor.head = frame.seq
            return None
        return super().deliver(cursor, frames)

    # Reading

    async def _read(self, writer: asyncio.Task[None]) -> None:
        while not self._ending and not self._draining:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None or len(text) > LONGEST_MESSAGE:
                self.close(*(UNSUPPORTED, "Send text frames.") if text is None else (TOO_BIG, "Send shorter messages."))
                continue
            self._busy = True
            await self._answer(text)
            self._busy = False
            self._work.set()
            while len(self._replies) >= MOST_REPLIES and not self._ending:
                # Who does not fetch the answers is not asked for more questions: TCP passes that on.
                self._room_for_replies = asyncio.Event()
                await self._room_for_replies.wait()
        await writer

    async def _answer(self, text: str) -> None:
        if seconds := self._bucket.take():
            why = TooFast(f"Try again in {seconds:.1f} seconds.").as_dict()
            self._reply(schemas.Failed(**_what_it_was(text), problem=why))
            return
        try:
            message = self._hub.parse(text)
        except ValidationError as error:
            invalid = problem(422, "invalid", "The message is not valid")
            faults = field_errors(
                error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
            )
            self._reply(schemas.Failed(**_what_it_was(text), problem=invalid | {"errors": faults}))
            return
        try:
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
        try:
            while not self._ending:
                await self._write_what_is_due()
                self._waiting = True
                await self._work.wait()
                self._waiting = False
        except (SQLAlchemyError, OSError) as error:
            logger.warning("A connection cannot read the log: %s", type(error).__name__)
            self.close(TRY_AGAIN, "The database does not answer. Try again.")
        finally:
            self._make_room()

    def _make_room(self) -> None:
        if self._room_for_replies:
            self._room_for_replies.set()

    async def _write_what_is_due(self) -> None:
        """Answers go before events."""
        self._work.clear()
        while self._replies and not self._ending:
            await self._socket.send_text(self._replies.pop(0))
            self._make_room()
        async for each in self.due():
            await self._socket.send_text(each.text)
        if self._draining and not self._busy and not self._work.is_set():
            self.close(RESTART, "The server restarts. Reconnect.")


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
