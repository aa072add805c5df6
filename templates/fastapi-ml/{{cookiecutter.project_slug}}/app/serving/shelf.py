"""What this process has loaded. Each process looks once a second what is to be served, and changes without a gap."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from app.database import Database
from app.inference.cards import Card
from app.inference.engine import Engine
from app.inference.errors import BadModel
from app.registry import services as registry
from app.registry.errors import ModelNotFound, VersionNotFound
from app.registry.files import Files
from app.serving.batching import Lane, Scheduler
from app.serving.errors import NotServed
from app.serving.numbers import Numbers

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
TRY_AGAIN = 5.0  # seconds, after which a version that could not be loaded is tried again
MOST_OTHERS = 8  # versions that are loaded beside the primary ones, because somebody asked for them by number


@dataclass(frozen=True, slots=True)
class Shelved:
    """A model as this process serves it: since which generation, and by which lane, if any."""

    generation: int
    served: bool
    lane: Lane | None


class Shelf:
    """The lanes of a process. A lane that is replaced finishes what it has; new requests do not find it any more."""

    def __init__(self, database: Database, files: Files, scheduler: Scheduler) -> None:
        self.models = dict[str, Shelved]()
        self.faulty: dict[str, float] = {}  # what is primary and failed its check here, and when it is tried again
        # Asked in turn which version is to answer a request that names none; None leaves it to the next one.
        self.choosers: list[Callable[[str], int | None]] = []
        self._database, self._files, self._scheduler = database, files, scheduler
        self._others: dict[tuple[str, int], asyncio.Task[Lane]] = {}
        self.busy = asyncio.Lock()
        self.numbers: dict[tuple[str, int], Numbers] = {}  # they outlive the lane

    async def run(self) -> None:
        """Look, again and again, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception as error:  # whatever it is, the next look may succeed
                logger.warning("What is to be served cannot be looked up: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def refresh(self) -> None:
        """Serve what the registry says. What fails its check is not served: the version before goes on."""
        async with self.busy:
            rows = await registry.primaries(self._database)
            for row in rows:
                name, generation, served, number = row.name, row.generation, row.served, row.primary
                known = self.models.get(name)
                same = known and (known.generation, known.served) == (generation, served)
                if same and time.monotonic() < self.faulty.get(name, math.inf):
                    continue
                lane = known.lane if known else None
                if number is not None and (lane is None or lane.number != number):
                    try:
                        lane = await self._load(name, number)
                    except Exception as error:  # of one model; the others go on
                        self.faulty[name] = time.monotonic() + TRY_AGAIN
                        logger.error("Version %s of %s cannot be served: %s", number, name, error)  # noqa: TRY400
                if number is None or (lane and lane.number == number):
                    self.faulty.pop(name, None)
                self.models[name] = Shelved(generation, served, lane)
            for name in self.models.keys() - {row[0] for row in rows}:
                del self.models[name]
                self.faulty.pop(name, None)

    async def lane(self, name: str, version: str = "", *, choose: bool = False) -> Lane:
        """The lane of a version, or of the primary one; with `choose`, perhaps of another that stands in for it.

        Raises ModelNotFound, VersionNotFound or NotServed.
        """
        shelved = self.models.get(name)
        if shelved is None:
            raise ModelNotFound(f"There is no model {name[:64]}.")
        if not shelved.served:
            raise NotServed(f"{name} is unloaded.")
        if version:
            return await self.numbered(name, number_of(version))
        for chosen in [found for each in self.choosers if choose and (found := each(name)) is not None]:
            with suppress(Exception):  # who cannot be loaded here stands in for nobody
                return await self.numbered(name, chosen)
        if shelved.lane is None:
            raise NotServed(f"{name} has no primary version that can be served.")
        return shelved.lane

    async def numbered(self, name: str, number: int) -> Lane:
        """The lane of a version by its number; it is loaded when it is not yet. Raises VersionNotFound."""
        shelved, key = self.models.get(name), (name, number)
        if shelved and shelved.lane and shelved.lane.number == number:
            return shelved.lane
        task = self._others.pop(key, None) or asyncio.create_task(self._load(name, number))
        self._others[key] = task  # now the last: the one that nobody has asked for longest makes room
        while len(self._others) > MOST_OTHERS:
            del self._others[next(iter(self._others))]
        try:
            return await asyncio.shield(task)
        except Exception:
            self._others.pop(key, None)
            raise

    async def _load(self, name: str, number: int) -> Lane:
        _, version = await registry.find(self._database, name=name, number=number)
        try:
            card = Card.model_validate(version.card)
        except ValidationError as error:
            raise BadModel("This release does not understand its card.") from error
        content = await asyncio.to_thread(self._files.read, version.sha256)
        engine = await asyncio.to_thread(Engine, content, card, inspected=True)  # when it was registered, and promoted
        numbers = self.numbers.setdefault((name, number), Numbers())
        return Lane(name, number, card, engine, scheduler=self._scheduler, numbers=numbers)


def number_of(version: str) -> int:
    """A version's number, as it is written in a path. Raises VersionNotFound for anything else."""
    if version.isascii() and version.isdecimal() and len(version) <= 9:  # noqa: PLR2004
        return int(version)
    raise VersionNotFound("A version is a number.")
