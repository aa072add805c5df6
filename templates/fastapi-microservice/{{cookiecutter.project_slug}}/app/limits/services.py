"""How often somebody may ask, across all processes, without a question to the database for each request.

A process takes a twentieth of the window's requests at a time. So the limit is never exceeded; what a process took and
does not use is lost to the others until the window is over.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case

from app.database import Database, now
from app.limits.errors import TooManyRequests
from app.limits.models import Allowance

BLOCKS = 20
MOST_KNOWN = 10_000


@dataclass(slots=True)
class Block:
    """What a process has taken for a caller, and not used yet."""

    mine: int
    others: int  # that nobody has taken yet
    until: float

    def fields(self, policy: str) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 tells it."""
        left = max(0, math.ceil(self.until - time.monotonic()))
        remaining = f'"default";r={self.mine + self.others};t={left}'
        return {"RateLimit-Policy": f'"default";{policy}', "RateLimit": remaining}


class Limits:
    """The blocks of a process."""

    def __init__(self, database: Database, allowance: tuple[int, int]) -> None:
        self._database = database
        self._quota, seconds = allowance
        self._window = timedelta(seconds=seconds)
        self._policy = f"q={self._quota};w={seconds}"
        self._blocks: dict[str, Block] = {}
        self._taking: dict[str, asyncio.Lock] = {}

    async def admit(self, holder: str) -> dict[str, str]:
        """Count a request; the fields that tell what is left. Raises TooManyRequests when that is nothing."""
        if not self._good(holder):
            async with self._taking.setdefault(holder, asyncio.Lock()):
                if not self._good(holder):
                    self._forget()
                    self._blocks[holder] = await self._take(holder)
        block = self._blocks[holder]
        if block.mine <= 0:
            fields = block.fields(self._policy)
            wait = str(max(1, math.ceil(block.until - time.monotonic())))
            raise TooManyRequests(f"Try again in {wait} s.", headers={"Retry-After": wait} | fields)
        block.mine -= 1
        return block.fields(self._policy)

    def _good(self, holder: str) -> bool:
        """Whether the block can answer: it has requests, or says that there are none in this window."""
        block = self._blocks.get(holder)
        return block is not None and time.monotonic() < block.until and (block.mine > 0 or block.others <= 0)

    def _forget(self) -> None:
        if len(self._blocks) > MOST_KNOWN:
            self._blocks = {each: block for each, block in self._blocks.items() if block.until > time.monotonic()}
            self._taking = {each: lock for each, lock in self._taking.items() if lock.locked()}

    async def _take(self, holder: str) -> Block:
        """The next block of requests, good until the window's end by this process's clock."""
        size, moment = math.ceil(self._quota / BLOCKS), now()
        taken, ends, over = Allowance.taken, Allowance.ends_at, Allowance.ends_at <= moment
        first = {"holder": holder, "policy": self._policy, "taken": size, "ends_at": moment + self._window}
        again = {
            "taken": case((over, size), else_=taken + size),
            "ends_at": case((over, moment + self._window), else_=ends),
        }
        count = self._database.insert(Allowance).values(first)
        count = count.on_conflict_do_update(index_elements=["holder", "policy"], set_=again)
        async with self._database.write() as connection:
            number, end = (await connection.execute(count.returning(taken, ends))).one()
        mine = max(0, min(size, self._quota - (number - size)))
        seconds = (end - moment).total_seconds()
        return Block(mine, max(0, self._quota - number), time.monotonic() + seconds)
