"""The rules of drift: rows are counted as they are answered, written in a while, and judged every hour."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database, now
from app.drift.models import Counted, Report
from app.drift.statistics import Drift, judge
from app.inference.cards import Card, Statistics
from app.inference.tensors import Array
from app.keys.services import Holder
from app.serving.batching import Lane
from app.serving.shelf import Shelf

logger = logging.getLogger(__name__)

WRITE_EVERY = 15.0  # seconds: a day has few rows then, and whoever judges reads them all
AT_ONCE = 4096  # values, of all inputs, that are counted at once
LOOKS_BACK = timedelta(days=1)
KEPT = timedelta(days=30)


class Watch:
    """What a process has counted and not written yet."""

    def __init__(self, database: Database, shelf: Shelf) -> None:
        self._database, self._shelf = database, shelf
        self.waiting: dict[Lane, dict[str, list[Array]]] = {}
        self._values = 0
        self._counts: dict[tuple[str, int], dict[str, Array]] = {}
        self.busy = asyncio.Lock()

    def note(self, _: Holder, lane: Lane, inputs: Mapping[str, Array], _outputs: Mapping[str, Array]) -> None:
        """Keep the values of a request until there are so many that counting them is cheap."""
        if lane not in self.waiting:
            self.waiting[lane] = {name: [] for name in lane.card.statistics}
        for name, values in self.waiting[lane].items():
            values.append(inputs[name].flatten())  # a copy: what waits must not keep a body of megabytes
            self._values += values[-1].size
        if self._values >= AT_ONCE:
            self.count()

    def count(self) -> None:
        """Count the values that wait, in the bins of training."""
        for lane, seen in self.waiting.items():
            counts = self._counts.setdefault((lane.name, lane.number), {})
            for name, values in seen.items():
                found = binned(lane.card.statistics[name], np.concatenate(values))
                counts[name] = counts[name] + found if name in counts else found
        self.waiting, self._values = {}, 0

    async def run(self) -> None:
        """Write, and judge once an hour, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                async with self.busy:
                    await self.write()
                    await self.judge()
            except (SQLAlchemyError, OSError) as error:
                logger.warning("Drift cannot be written down: %s", type(error).__name__)

    async def write(self) -> None:
        """Write what was counted; what cannot be written is lost, which a share of rows can bear."""
        self.count()
        counts, self._counts = self._counts, {}
        rows: list[dict[str, Any]] = [
            {
                "id": uuid.uuid4(),
                "at": now(),
                "model": name,
                "version": number,
                "counts": {each: found.tolist() for each, found in of.items()},
            }
            for (name, number), of in counts.items()
            if of
        ]
        if rows:
            async with self._database.write() as session:
                await session.execute(insert(Counted), rows)

    async def judge(self) -> None:
        """Note what each primary version's drift of the last day is, unless another process has in this hour."""
        hour = now().replace(minute=0, second=0, microsecond=0)
        async with self._database.read() as session:
            query = select(Report.model, Report.version).where(Report.hour == hour)
            done = {(row.model, row.version) for row in await session.execute(query)}
        for name, shelved in list(self._shelf.models.items()):
            lane = shelved.lane
            if lane is None or not lane.card.statistics or (name, lane.number) in done:
                continue
            found = await drift(self._database, name=name, number=lane.number, card=lane.card)
            if not any(each.rows for each in found):
                continue  # nobody has asked yet, and the hour's report is to be about something
            raised = [each.input for each in found if each.raised]
            row = {"model": name, "version": lane.number, "hour": hour, "raised": raised}
            report = self._database.insert(Report).values(**row, psi={each.input: each.psi for each in found})
            async with self._database.write() as session:
                await session.execute(delete(Counted).where(Counted.at < now() - KEPT))
                kept = await session.execute(report.on_conflict_do_nothing().returning(Report.model))
                first = kept.first() is not None
            if raised and first:
                logger.warning("%s, version %s, is asked other things than it learned: %s", name, lane.number, raised)


def binned(known: Statistics, values: Array) -> Array:
    """How many values are in each bin. What is beyond the outermost edges is in the outermost bin."""
    flat = values.ravel()
    if known.categories is not None:
        place = {category: number for number, category in enumerate(known.categories)}
        bins = np.array([place[value] for value in flat.tolist() if value in place], int)
    else:
        inner = np.array(known.edges or [])[1:-1]
        bins = np.searchsorted(inner, flat.astype(float), side="right")
    return np.bincount(bins, minlength=len(known.counts))


async def drift(database: Database, *, name: str, number: int, card: Card) -> list[Drift]:
    """What was asked in the last day beside what a version learned from, input by input."""
    query = select(Counted.counts).where(
        Counted.model == name, Counted.version == number, Counted.at > now() - LOOKS_BACK
    )
    async with database.read() as session:
        counted = (await session.scalars(query)).all()
    found = []
    for each, known in card.statistics.items():
        seen = np.sum([row[each] for row in counted if each in row] or [[0] * len(known.counts)], axis=0)
        edges = known.edges or []
        ranges = [f"{low:g}-{high:g}" for low, high in pairwise(edges)]
        bins = known.categories or ranges
        ordered = known.categories is None
        found.append(judge(each, known.counts, seen.tolist(), bins, ordered=ordered, of=len(card.statistics)))
    return found
