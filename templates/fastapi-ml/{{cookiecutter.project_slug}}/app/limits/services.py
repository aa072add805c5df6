"""How often somebody may ask, across all processes, without a question to the database for each request.

A process takes a twentieth of the minute's requests at a time. So the limit is never exceeded; what a process took and
does not use is lost to the others until the minute is over.
"""

import asyncio
import math
import time
from datetime import timedelta

from sqlalchemy import case

from app.database import Database, now
from app.keys.services import Holder
from app.limits.errors import TooManyRequests
from app.limits.models import Allowance

MINUTE = timedelta(minutes=1)
BLOCKS = 20


class Limits:
    """What a process has taken, and not used yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: dict[str, tuple[int, float]] = {}  # requests, and until when they are good
        self._refused: dict[str, float] = {}  # until when there are none: whoever goes on asking costs no question
        self._taking: dict[str, asyncio.Lock] = {}

    async def admit(self, holder: Holder) -> None:
        """Count a request. Raises TooManyRequests when those of this minute are used up, in whatever process."""
        if (wait := self._refused.get(holder.name, 0.0) - time.monotonic()) > 0:
            raise too_many(holder, wait)
        if not self._good(holder):
            async with self._taking.setdefault(holder.name, asyncio.Lock()):
                if not self._good(holder):
                    self._left[holder.name] = await self._take(holder)
        left, until = self._left[holder.name]
        self._left[holder.name] = left - 1, until

    def _good(self, holder: Holder) -> bool:
        left, until = self._left.get(holder.name, (0, 0.0))
        return left > 0 and time.monotonic() < until

    async def _take(self, holder: Holder) -> tuple[int, float]:
        """The next block of requests, and until when it is good: the minute's end by this process's clock."""
        block, moment = math.ceil(holder.per_minute / BLOCKS), now()
        taken, ends, over = Allowance.taken, Allowance.ends_at, Allowance.ends_at <= moment
        first = {"holder": holder.name, "taken": block, "ends_at": moment + MINUTE}
        again = {
            "taken": case((over, block), else_=taken + block),
            "ends_at": case((over, moment + MINUTE), else_=ends),
        }
        count = self._database.insert(Allowance).values(first)
        count = count.on_conflict_do_update(index_elements=["holder"], set_=again)
        async with self._database.write() as session:
            number, end = (await session.execute(count.returning(taken, ends))).one()
        seconds = (end - moment).total_seconds()
        if (free := min(block, holder.per_minute - (number - block))) <= 0:
            self._refused[holder.name] = time.monotonic() + seconds
            raise too_many(holder, seconds)
        return free, time.monotonic() + seconds


def too_many(holder: Holder, seconds: float) -> TooManyRequests:
    """When to come back."""
    wait = str(max(1, math.ceil(seconds)))
    detail = f"It may be asked {holder.per_minute} times a minute. Try again in {wait} s."
    return TooManyRequests(detail, headers={"Retry-After": wait})
