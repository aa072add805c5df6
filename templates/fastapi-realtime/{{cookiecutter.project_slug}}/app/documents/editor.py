"""An editor: somebody who has a document open, by the protocol of `y-websocket` (y-protocols/PROTOCOL.md)."""

import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, override

from pycrdt import (
    Decoder,
    YMessageType,
    YSyncMessageType,
    create_awareness_message,
    create_sync_message,
    handle_sync_message,
)
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from app.accounts.services import Caller
from app.documents.errors import DocumentFull, InvalidUpdate
from app.documents.shared import Documents
from app.live.hub import Frame, Hub
from app.live.reader import TOO_BIG, TRY_AGAIN, UNSUPPORTED
from app.live.socket import Socket, TokenBucket
from app.rooms.errors import RoomNotFound

logger = logging.getLogger(__name__)

NOT_A_MEMBER = 4403  # no longer in the room
INVALID = 1007  # bytes that are not of the protocol
# Messages and bytes for one editor; who takes them more slowly comes back and gets the whole.
MOST_WAITING, MOST_BYTES = 256, 4 * 1024 * 1024
MOST_CURSORS = 20  # names in the awareness that one editor may have
RATE, BURST = 50, 500
QUERY_AWARENESS = 3
CONTINUES = 0x80  # the bit of a byte of a number after which there are more


class Editor(Socket):
    """One open document of a person who is in its room."""

    def __init__(self, caller: Caller, room_id: uuid.UUID, documents: Documents, hub: Hub) -> None:
        super().__init__(caller, hub)
        self._room_id = room_id
        self._documents = documents
        self._outbox: deque[bytes] = deque()
        self._bucket = TokenBucket(rate=RATE, burst=BURST)
        self._cursors_of: set[int] = set()  # what this editor is called in the awareness

    async def serve(self, socket: WebSocket) -> None:
        """Tell what we have and who is there; then changes go both ways."""
        async with self._until_disconnected(), self._documents.opened(self._room_id) as shared:
            self._shared = shared
            shared.editors.add(self)
            try:
                await super().serve(socket)
            finally:
                shared.editors.discard(self)
                gone = [each for each in self._cursors_of if each in shared.awareness.states]
                shared.awareness.remove_awareness_states(gone, self)
                if gone:
                    self._documents.tell_gone(shared, shared.awareness.encode_awareness_update(gone))

    @asynccontextmanager
    async def _until_disconnected(self) -> AsyncIterator[None]:
        """However it ends, be it before it began, the hub forgets this connection."""
        try:
            yield
        finally:
            self._hub.disconnect(self)

    def _greet(self) -> None:
        self.send(create_sync_message(self._shared.doc))
        self._send_awareness()

    def send(self, message: bytes) -> None:
        """Put something into the outbox."""
        if len(self._outbox) >= MOST_WAITING or sum(map(len, self._outbox)) > MOST_BYTES:
            self.close(TRY_AGAIN, "You read too slowly. Reconnect.")
        else:
            self._outbox.append(message)
            self._work.set()

    @override
    def deliver(self, room_id: uuid.UUID, frames: Sequence[Frame]) -> None:
        """Of the room only one thing matters: that this person was shown out."""
        if any(frame.out == self.caller.user_id for frame in frames):
            self.close(NOT_A_MEMBER, "You are no longer in the room.")

    async def _take(self, frame: MutableMapping[str, Any]) -> None:
        data = frame.get("bytes")
        try:
            if data is None:
                self.close(UNSUPPORTED, "Send binary frames.")
            elif self._bucket.take():
                self.close(TRY_AGAIN, "You send too fast.")
            else:
                await self._apply(data)
        except DocumentFull as error:
            self.close(TOO_BIG, error.detail)
        except InvalidUpdate as error:
            self.close(INVALID, error.detail)
        except RoomNotFound:
            self.close(NOT_A_MEMBER, "You are no longer in the room.")
        except (SQLAlchemyError, OSError) as error:
            logger.warning("A document cannot be stored: %s", type(error).__name__)
            self.close(TRY_AGAIN, "The database does not answer. Try again.")
        except Exception:
            self.close(INVALID, "That is not the protocol of y-websocket.")

    async def _apply(self, data: bytes) -> None:
        match data[0], data[1:]:
            case YMessageType.SYNC, rest if rest[0] == YSyncMessageType.SYNC_STEP1:
                _payload(rest[1:])
                if reply := handle_sync_message(rest, self._shared.doc):
                    self.send(reply)
            case YMessageType.SYNC, rest:
                await self._documents.change(self._shared, self, _payload(rest[1:]))
            case YMessageType.AWARENESS, rest:
                update = _payload(rest)
                clients, known = _clients(update), set(self._shared.awareness.states)
                # Each client also echoes what it hears of others: only what is new is handed on, and is this one's.
                if len(self._cursors_of | (clients - known)) > MOST_CURSORS:
                    self.close(TRY_AGAIN, "You have too many cursors.")
                elif self._documents.make_aware(self._shared, update, but=self):
                    self._cursors_of |= clients - known
            case number, _ if number == QUERY_AWARENESS:
                self._send_awareness()

    def _send_awareness(self) -> None:
        awareness = self._shared.awareness
        if awareness.states:
            self.send(create_awareness_message(awareness.encode_awareness_update(list(awareness.states))))

    async def _send_what_is_due(self) -> None:
        while self._outbox and not self._ending:
            await self._socket.send_bytes(self._outbox.popleft())


class _Decoder(Decoder):
    """pycrdt's, which would read a number of a million digits, and hold up everybody for minutes."""

    def read_var_uint(self) -> int:
        if all(byte & CONTINUES for byte in self.stream[self.i0 : self.i0 + 10]):
            raise ValueError("no number is that long")
        return super().read_var_uint()


def _payload(data: bytes) -> bytes:
    """What a message carries. Raises for bytes that carry nothing."""
    payload = _Decoder(data).read_message()
    if payload is None:
        raise ValueError("nothing")
    return payload


def _clients(update: bytes) -> set[int]:
    """The clients that an awareness update is about."""
    decoder = _Decoder(update)
    found = set()
    for _ in range(decoder.read_var_uint()):
        found.add(decoder.read_var_uint())
        decoder.read_var_uint()
        decoder.read_var_string()
    return found
