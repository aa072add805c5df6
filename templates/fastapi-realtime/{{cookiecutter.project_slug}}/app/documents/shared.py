"""The documents that are open in this process, each with those who edit it here."""

import asyncio
import base64
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pycrdt import Awareness, Doc, create_awareness_message, create_update_message

from app.broker import Hint
from app.database import Database
from app.documents import services

if TYPE_CHECKING:
    from app.documents.editor import Editor

logger = logging.getLogger(__name__)

POLL = timedelta(seconds=2)  # the longest that a lost hint can delay a change made in another process


class Shared:
    """A room's document. It changes only by what is in the database, so all processes have the same."""

    def __init__(self, room_id: uuid.UUID, database: Database) -> None:
        self.room_id = room_id
        self.doc: Doc[Any] = Doc()
        self.awareness = Awareness(self.doc)
        self.awareness.set_local_state(None)
        self.editors: set[Editor] = set()
        self.seq = self.users = 0
        self.makers: dict[int, Editor] = {}
        self._database = database
        self._turn = asyncio.Lock()

    async def catch_up(self) -> None:
        """Read what was stored since, here or elsewhere, and hand it on to all but who made it."""
        async with self._turn:
            for row in await services.updates(self._database, room_id=self.room_id, after=self.seq):
                self.doc.apply_update(row.data)
                # Merged updates have those of others too, which whoever made the last one does not know.
                maker = self.makers.pop(row.seq, None) if row.seq == self.seq + 1 else None
                self.seq = row.seq
                self.broadcast(create_update_message(row.data), but=maker)

    def broadcast(self, message: bytes, *, but: "Editor | None" = None) -> None:
        """To everybody who edits it here."""
        for editor in list(self.editors):
            if editor is not but:
                editor.send(message)

    def make_aware(self, update: bytes, *, but: "Editor | None" = None) -> bool:
        """Take and hand on where somebody's cursor is, or that they went. False when that was known already.

        Raises for bytes that say neither.
        """
        before = dict(self.awareness.meta)
        self.awareness.apply_awareness_update(update, but)
        if self.awareness.meta == before:
            return False
        self.broadcast(create_awareness_message(update), but=but)
        return True


class Documents:
    """All open documents of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._broker = database.broker
        self._open: dict[uuid.UUID, Shared] = {}
        self._news: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._stopped = False
        database.broker.listen(self.hear)

    @asynccontextmanager
    async def opened(self, room_id: uuid.UUID) -> AsyncIterator[Shared]:
        """The room's document, read from the database by the first who comes, forgotten after the last one."""
        shared = self._open.setdefault(room_id, Shared(room_id, self._database))
        shared.users += 1
        try:
            if shared.seq == 0:
                await shared.catch_up()
            yield shared
        finally:
            shared.users -= 1
            if not shared.users:
                del self._open[room_id]

    async def change(self, shared: Shared, editor: "Editor", data: bytes) -> None:
        """Store, then tell everybody: who sees a change can rely on it. Raises what `services.append` raises."""
        if data == services.NOTHING:
            return
        seq = await services.append(self._database, room_id=shared.room_id, user_id=editor.caller.user_id, data=data)
        if seq > shared.seq:
            shared.makers[seq] = editor
        await shared.catch_up()
        self._broker.announce(Hint("document", shared.room_id))

    def make_aware(self, shared: Shared, update: bytes, *, but: "Editor") -> bool:
        """Tell everybody, everywhere, where somebody's cursor is. Not stored. False when that was known already."""
        if not shared.make_aware(update, but=but):
            return False
        self._broker.announce(Hint("awareness", shared.room_id, base64.b64encode(update).decode()))
        return True

    def tell_gone(self, shared: Shared, update: bytes) -> None:
        """Tell everybody, everywhere, that somebody has gone, who is not in our own awareness any more."""
        shared.broadcast(create_awareness_message(update))
        self._broker.announce(Hint("awareness", shared.room_id, base64.b64encode(update).decode()))

    def hear(self, hint: Hint) -> None:
        """What was announced, by other processes or by us."""
        shared = self._open.get(hint.id)
        if shared is None:
            return
        if hint.kind == "document":
            self._news.add(hint.id)
            self._woken.set()
        elif hint.kind == "awareness":
            shared.make_aware(base64.b64decode(hint.data))  # our own is known already

    async def run(self) -> None:
        """Read what other processes stored, until stopped."""
        while not self._stopped:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL.total_seconds()):
                    await self._woken.wait()
            self._woken.clear()
            try:
                heads = await services.heads(self._database, list(self._open)) if self._open else {}
                self._news |= {id_ for id_, seq in heads.items() if id_ in self._open and seq > self._open[id_].seq}
                while self._news:
                    if shared := self._open.get(self._news.pop()):
                        await shared.catch_up()
            except Exception:
                # Whatever it was, every document of this process lives on this task; the next poll tries again.
                logger.exception("Documents cannot be read")

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopped = True
        self._woken.set()
