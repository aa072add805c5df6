"""The one task of a process that keeps presence: who follows which room here, and who is there at all."""

import asyncio
import logging
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.accounts.schemas import Person
from app.broker import Hint
from app.database import Database
from app.live.hub import Hub
from app.live.reader import Reader
from app.presence import services
from app.presence.schemas import IsTyping, Present, Typing
from app.presence.services import Place

logger = logging.getLogger(__name__)

BEAT = timedelta(seconds=5)  # how often a process says again who is here through it, and looks for who else is
PAUSE = timedelta(seconds=0.2)  # a thousand who come at once are told about once, not a thousand times
PAUSE_EACH = timedelta(milliseconds=1)  # and longer for each who was told: in a full room somebody always comes
MOST_NAMES = 100


class Watch:
    """Who is in the rooms, seen from this process."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._broker = database.broker
        self._hub = hub
        self._process_id = uuid.uuid4()
        self._here: Counter[Place] = Counter()
        self._written: set[Place] = set()
        self._told: dict[uuid.UUID, Present] = {}
        self._dirty: set[uuid.UUID] = set()
        self._woken = asyncio.Event()
        self._stopped = False
        hub.watchers.append(self.notice)
        hub.handlers[Typing] = self.typing
        database.broker.listen(self.hear)

    def notice(self, reader: Reader, room_id: uuid.UUID, follows: bool) -> None:
        """Somebody follows a room from now on, or no longer."""
        self._here[room_id, reader.caller.user_id] += 1 if follows else -1
        self._told.pop(room_id, None)  # whoever is new knows nothing yet
        self._look_at(room_id)

    async def typing(self, reader: Reader, message: Typing) -> None:
        """Pass on that somebody is writing; of rooms that they are not in, nothing."""
        if reader.follows(message.room):
            who = Person(id=reader.caller.user_id, name=reader.caller.name)
            self._broker.announce(Hint("typing", message.room, who.model_dump_json()))

    def hear(self, hint: Hint) -> None:
        """What other processes, or we, have announced."""
        if hint.kind == "presence":
            self._look_at(hint.id)
        elif hint.kind == "typing":
            self._hub.tell(hint.id, IsTyping(room=hint.id, who=Person.model_validate_json(hint.data)))

    async def run(self) -> None:
        """Keep it up to date until stopped. A database that fails delays it."""
        loop = asyncio.get_running_loop()
        beat, told = loop.time(), 0
        while not self._stopped:
            try:
                if everything := loop.time() >= beat:
                    beat = loop.time() + BEAT.total_seconds()
                told = await self._update(everything=everything)
            except Exception:
                # Whatever it was, presence lives on this task; the next beat tries again.
                logger.exception("Presence cannot be kept")
            await asyncio.sleep(min(BEAT, PAUSE + PAUSE_EACH * told).total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout_at(beat):
                    await self._woken.wait()

    async def stop(self) -> None:
        """Say that nobody is here any more."""
        self._stopped = True
        self._woken.set()
        self._here.clear()
        try:
            await self._write()
        except (SQLAlchemyError, OSError):
            logger.warning("Who was here seems to be for a while")

    def _look_at(self, room_id: uuid.UUID) -> None:
        self._dirty.add(room_id)
        self._woken.set()

    async def _update(self, *, everything: bool) -> int:
        """Write and tell what has changed. Returns how many people were told, about."""
        self._woken.clear()
        dirty, self._dirty = self._dirty, set()
        await self._write(again=everything)
        here = {room_id for room_id, _ in self._here}
        look = here if everything else dirty & here
        if not look:
            return 0
        told = 0
        people = await services.present(self._database, look)
        for room_id in look:
            there = people.get(room_id, [])
            present = Present(room=room_id, people=there[:MOST_NAMES], number=len(there))
            if self._told.get(room_id) != present:
                self._told[room_id] = present
                self._hub.tell(room_id, present, replaces=True)
                told += present.number
        return told

    async def _write(self, *, again: bool = False) -> None:
        self._here = +self._here  # without those whose count has come to nothing
        here = set(self._here)
        new, gone, stay = here - self._written, self._written - here, here & self._written if again else set()
        if new or gone or stay:
            await services.write_down(self._database, process_id=self._process_id, new=new, stay=stay, gone=gone)
        changed = {room_id for room_id, _ in here ^ self._written}
        self._written = here
        for room_id in changed:
            self._broker.announce(Hint("presence", room_id))
