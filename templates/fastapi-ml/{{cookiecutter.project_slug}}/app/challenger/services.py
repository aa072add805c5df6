"""The rules of challengers: a shadow is asked behind the answer, a split answers for a share.

A shadow shares the threads: an answer may wait for one of its batches. What it cannot keep up with is left out.
"""

import asyncio
import random
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from sqlalchemy import delete, func, insert, select

from app.challenger.errors import NoChallenger
from app.challenger.models import Challenger, Compared
from app.database import Database, now
from app.inference.tensors import Array
from app.keys.services import Holder
from app.problems import Problem
from app.registry import services as registry
from app.serving.batching import Lane
from app.serving.shelf import Shelf

type Mode = Literal["shadow", "split"]

MOST_AT_ONCE = 64  # requests of all shadows in a process; what comes on top is dropped
SECONDS = 5.0  # that a shadow may take
ALIKE = 1e-3
LOOK_EVERY = 1.0


@dataclass
class Tally:
    """What is added up until it is written."""

    requests: int = 0
    failed: int = 0
    dropped: int = 0
    rows: int = 0
    agreed: int = 0
    largest: float = 0.0


async def challenge(database: Database, *, name: str, number: int, mode: Mode, share: float) -> None:
    """Let a version challenge the primary one; the one before ends. Raises ModelNotFound or VersionNotFound."""
    await registry.find(database, name=name, number=number)
    row = {"model": name, "number": number, "mode": mode, "share": share, "since": now()}
    async with database.write() as session:
        await session.execute(
            database.insert(Challenger).values(row).on_conflict_do_update(index_elements=["model"], set_=row)
        )


async def end(database: Database, *, name: str) -> None:
    """Let nobody challenge the primary version any more. Raises NoChallenger."""
    async with database.write() as session:
        gone = delete(Challenger).where(Challenger.model == name).returning(Challenger.model)
        if not (await session.execute(gone)).all():
            raise NoChallenger(f"Nobody challenges {name}.")


async def compared(database: Database, *, name: str) -> tuple[Challenger, Tally]:
    """The challenger of a model, and how it did since it is one. Raises NoChallenger."""
    async with database.read() as session:
        found = await session.get(Challenger, name)
        if found is None:
            raise NoChallenger(f"Nobody challenges {name}.")
        sums = [func.coalesce(func.sum(getattr(Compared, each)), 0) for each in list(asdict(Tally()))[:-1]]
        which = (Compared.model == name, Compared.challenger == found.number, Compared.at >= found.since)
        row = (await session.execute(select(*sums, func.coalesce(func.max(Compared.largest), 0.0)).where(*which))).one()
    return found, Tally(**dict(zip(asdict(Tally()), row, strict=True)))


class Challengers:
    """What a process knows of challengers, and what it saw of them."""

    def __init__(self, database: Database, shelf: Shelf) -> None:
        self._database, self._shelf = database, shelf
        self._known: dict[str, Challenger] = {}
        self._seen: dict[tuple[str, int, int], Tally] = {}
        self._running: set[asyncio.Task[None]] = set()
        self.busy = asyncio.Lock()

    async def refresh(self) -> None:
        """Look who challenges whom, and write what was seen."""
        async with self._database.read() as session:
            self._known = {each.model: each for each in await session.scalars(select(Challenger))}
        seen, self._seen = self._seen, {}
        rows = [
            {"id": uuid.uuid4(), "at": now(), "model": name, "primary": primary, "challenger": number, **asdict(tally)}
            for (name, primary, number), tally in seen.items()
        ]
        if rows:
            async with self._database.write() as session:
                await session.execute(insert(Compared), rows)

    def choose(self, name: str) -> int | None:
        """The challenger's number, for its share of the requests that name no version."""
        known = self._known.get(name)
        chosen = known and known.mode == "split" and random.random() < known.share  # noqa: S311  no secret
        return known.number if known and chosen else None

    def note(self, _: Holder, lane: Lane, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        """Ask the shadow the same, behind the answer; of a split, count what the challenger answered."""
        known = self._known.get(lane.name)
        if known is None:
            return
        if known.mode == "split":
            if lane.number == known.number:
                self._tally(lane.name, 0, known.number).requests += 1
            return
        if lane.number == known.number or random.random() >= known.share:  # noqa: S311
            return
        tally = self._tally(lane.name, lane.number, known.number)
        if len(self._running) >= MOST_AT_ONCE:
            tally.dropped += 1
            return
        tally.requests += 1
        task = asyncio.create_task(self._shadow(lane, known.number, inputs, outputs))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _shadow(
        self, primary: Lane, number: int, inputs: Mapping[str, Array], outputs: Mapping[str, Array]
    ) -> None:
        try:
            lane = await self._shelf.numbered(primary.name, number)
            found = await lane.infer(inputs, seconds=SECONDS)
        except Problem:
            self._tally(primary.name, primary.number, number).failed += 1
            return
        tally = self._tally(primary.name, primary.number, number)  # now: the one of when it was asked may be written
        alike = None
        for each in outputs.keys() & found.keys():
            one, other = outputs[each], found[each]
            if one.dtype.kind == "f":
                apart = np.abs(one.astype(float) - other).reshape(len(one), -1).max(axis=1)
                tally.largest = max(tally.largest, float(apart.max()))
                same = apart <= ALIKE
            else:
                same = (one == other).reshape(len(one), -1).all(axis=1)
            alike = same if alike is None else alike & same
        if alike is not None:
            tally.rows += len(alike)
            tally.agreed += int(alike.sum())

    def _tally(self, name: str, primary: int, number: int) -> Tally:
        return self._seen.setdefault((name, primary, number), Tally())

    async def finish(self) -> None:
        """Let the shadows that were asked come to their end."""
        if self._running:
            await asyncio.wait(self._running, timeout=1)
        for task in self._running:
            task.cancel()
