"""The log of predictions: written behind the answers, from a buffer that would rather drop than wait."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database, now
from app.inference.tensors import Array
from app.journal.models import Prediction
from app.keys.services import Holder
from app.logging import request_id
from app.serving.batching import Lane

logger = logging.getLogger(__name__)

LONGEST = 5000  # predictions that wait to be written
ROWS = 64  # of a request that are kept
VALUES = 4096  # of a tensor; a larger one is left out
WRITE_EVERY = 0.5  # seconds
SWEEP_EVERY = 3600.0
SIDES = ("inputs", "outputs")


class Journal:
    """The buffer, and what writes it."""

    def __init__(self, database: Database, counters: dict[str, int], *, days: int) -> None:
        self._database, self._counters, self._kept = database, counters, timedelta(days=days)
        self.waiting: deque[dict[str, Any]] = deque()
        self.busy = asyncio.Lock()
        counters["log_dropped"] = 0

    def note(self, holder: Holder, lane: Lane, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        """Take a prediction down. When there is no room it is dropped, and counted."""
        if len(self.waiting) >= LONGEST:
            self._counters["log_dropped"] += 1
            return
        self.waiting.append(
            {
                "at": now(),
                "model": lane.name,
                "version": lane.number,
                "asked_by": holder.name,
                "request_id": request_id.get() or "",
                "rows": len(next(iter(inputs.values()))),
                "inputs": beginning(inputs),
                "outputs": beginning(outputs),
            }
        )

    async def run(self) -> None:
        """Write what there is, again and again, until cancelled; delete what is too old."""
        swept = -SWEEP_EVERY
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                async with self.busy:
                    await self.write()
                    if (moment := asyncio.get_running_loop().time()) - swept > SWEEP_EVERY:
                        swept = moment
                        async with self._database.write() as session:
                            await session.execute(delete(Prediction).where(Prediction.at < now() - self._kept))
            except (SQLAlchemyError, OSError) as error:
                logger.warning("Predictions cannot be written down: %s", type(error).__name__)

    async def last(self) -> None:
        """Write what is left when the process ends."""
        try:
            await self.write()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("%s predictions could not be written down: %s", len(self.waiting), type(error).__name__)

    async def write(self) -> None:
        """Write what is in the buffer. What cannot be written stays, as long as there is room."""
        while rows := list(self.waiting)[:500]:
            made = await asyncio.to_thread(written, rows)
            async with self._database.write() as session:
                await session.execute(insert(Prediction), made)
            for _ in rows:
                self.waiting.popleft()


def beginning(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """The first rows of each tensor, unless they are too large: copied, so that a body of megabytes is not kept."""
    return {name: array[:ROWS].copy() for name, array in tensors.items() if array[:ROWS].size <= VALUES}


def written(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Predictions with their tensors as JSON has them."""
    return [row | {side: {each: row[side][each].tolist() for each in row[side]} for side in SIDES} for row in rows]
