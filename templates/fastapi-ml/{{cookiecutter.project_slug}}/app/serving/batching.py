"""Micro-batching: what queued while the threads were busy is computed together, and nobody waits for more to come.

A *lane* is the queue of one version of a model. The lanes of a process share its threads in turn, so a flood on one
model holds up another by one batch at most. How large a batch may be is measured: as many rows as take a tenth of a
second, and one request alone where putting them together gains nothing. What takes less time than handing it to a
thread takes is computed where it is, without a queue.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from app.inference.cards import Card
from app.inference.engine import Engine, fault
from app.inference.errors import ModelFailed
from app.inference.tensors import Array, weight
from app.problems import Problem
from app.serving.errors import TooBusy, TooLate
from app.serving.numbers import Numbers

LONGEST_RUN = 0.1  # seconds that a batch may take, since others wait behind it
GAIN = 0.9  # together a row has to cost less than this part of what it costs alone
PROBE = 16  # every so many runs the other way is tried, in case things have changed
BRIEF = 0.0003  # seconds that the event loop may compute: about what a thread, a queue and a deadline cost it

type Signature = tuple[tuple[str, str, tuple[int, ...]], ...]
type Outcome = dict[str, Array] | Problem
# An outcome for each request, and the seconds of preparing, computing and splitting.
type Run = tuple[list[Outcome], tuple[float, float, float]]


@dataclass(eq=False, slots=True)
class Job:
    """A request that waits for its rows."""

    tensors: Mapping[str, Array]
    rows: int
    size: int  # bytes
    future: asyncio.Future[dict[str, Array]]
    queued: float = field(default_factory=time.perf_counter)


class Scheduler:
    """The threads of a process, and the lanes that wait for one."""

    def __init__(self, *, threads: int, longest_batch: int, longest_queue: int, most_bytes: int) -> None:
        self.longest_batch, self.longest_queue, self.most_bytes = longest_batch, longest_queue, most_bytes
        self.bytes = 0  # of all that wait
        self._free = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._turns: deque[Lane] = deque()
        self._awake = False

    def wake(self, lane: "Lane") -> None:
        """This lane has something to do. What else comes in this turn of the event loop is taken along."""
        if lane not in self._turns:
            self._turns.append(lane)
        if not self._awake and self._free:
            self._awake = True
            asyncio.get_running_loop().call_soon(self._hand_out)

    def _hand_out(self) -> None:
        """Give each free thread a batch of the lane whose turn it is."""
        self._awake = False
        while self._free and self._turns:
            lane = self._turns.popleft()
            if not (jobs := lane.take()):
                continue
            if lane.depth:
                self._turns.append(lane)
            self._free -= 1
            started = time.perf_counter()
            given = [job.tensors for job in jobs]
            running = asyncio.get_running_loop().run_in_executor(self._executor, compute, lane.engine, given)
            running.add_done_callback(partial(self._take_back, lane, jobs, started))

    def _take_back(self, lane: "Lane", jobs: list[Job], started: float, running: "asyncio.Future[Run]") -> None:
        self._free += 1
        if self._turns:
            self._hand_out()  # before the answers are written: the thread need not wait for that
        lane.settle(jobs, started, running)

    def close(self) -> None:
        """End the threads; what they are at is finished first."""
        self._executor.shutdown()


class Lane:
    """One version of a model, with the requests that wait for it, grouped by what can be put together."""

    def __init__(
        self, name: str, number: int, card: Card, engine: Engine, *, scheduler: Scheduler, numbers: Numbers
    ) -> None:
        self.name, self.number, self.card, self.engine, self.numbers = name, number, card, engine, numbers
        self.depth = 0
        self.extras: dict[str, Any] = {}  # what extras make of the card once, by their names
        self._scheduler = scheduler
        self._groups: OrderedDict[Signature, deque[Job]] = OrderedDict()
        self._cost = {False: 0.0, True: 0.0}  # seconds per request: alone, together; 0 when not known yet
        self._row = 0.0  # seconds per row
        self._runs = 0
        self._alike = all(-1 not in each.shape[1:] for each in card.inputs)

    def brief(self, tensors: Mapping[str, Array]) -> bool:
        """Whether this is known to take less time than a thread costs. Not where a row may be longer than another."""
        runs, _, seconds, _ = self.numbers.by_rows.get(self._rows(tensors), (0, 0, 0, 0))
        return bool(runs) and self._alike and not self.depth and seconds < BRIEF * runs

    def infer_here(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """The same as `infer` does, at once and in the event loop."""
        (found,), stages = compute(self.engine, [tensors])
        self.numbers.ran([0.0], self._rows(tensors), stages)
        if isinstance(found, Problem):
            raise found
        return found

    async def infer(self, tensors: Mapping[str, Array], *, seconds: float) -> dict[str, Array]:
        """The outputs for these tensors. Raises TooBusy at once, TooLate after so many seconds, or what went wrong."""
        scheduler = self._scheduler
        size = sum(map(weight, tensors.values()))
        if self.depth >= scheduler.longest_queue or (self.depth and scheduler.bytes + size > scheduler.most_bytes):
            wait = max(1, math.ceil(self.depth * max(self._cost.values())))
            raise TooBusy(f"Try again in {wait} s.", headers={"Retry-After": str(wait)})
        job = Job(tensors, self._rows(tensors), size, asyncio.get_running_loop().create_future())
        group = self._groups.setdefault(signature(tensors), deque())
        group.append(job)
        self.depth += 1
        scheduler.bytes += size
        scheduler.wake(self)
        try:
            async with asyncio.timeout(seconds):
                return await job.future
        except TimeoutError as error:
            raise TooLate(f"There was no answer within {seconds:g} s.") from error
        finally:
            if job in group:  # nobody waits for it any more, so it costs nothing
                self._leave(job, group)

    def take(self) -> list[Job]:
        """The next batch: of the group whose turn it is, as many requests as may go together."""
        if not self._groups:
            return []
        kind, group = self._groups.popitem(last=False)
        jobs = [group[0]]
        self._runs += 1
        limit = self._most_rows()
        for job in list(group)[1:] if limit > 1 else ():
            if sum(each.rows for each in jobs) + job.rows > limit:
                break
            jobs.append(job)
        self._groups[kind] = group  # now last
        for job in jobs:
            self._leave(job, group)
        return jobs

    def _rows(self, tensors: Mapping[str, Array]) -> int:
        return len(next(iter(tensors.values()))) if self.engine.batchable else 1

    def _most_rows(self) -> int:
        alone, together = self._cost[False], self._cost[True]
        if not self.engine.batchable or not alone:
            return 1
        gains = not together or together < alone * GAIN
        if gains == (self._runs % PROBE == 0):
            return 1
        return min(self._scheduler.longest_batch, int(LONGEST_RUN / max(self._row, 1e-6)))

    def _leave(self, job: Job, group: deque[Job]) -> None:
        group.remove(job)
        self.depth -= 1
        self._scheduler.bytes -= job.size
        if not group:
            self._groups = OrderedDict((kind, each) for kind, each in self._groups.items() if each)

    def settle(self, jobs: list[Job], started: float, running: "asyncio.Future[Run]") -> None:
        """Give each its own answer, and note how long it took."""
        outcomes, stages = running.result()
        elapsed, rows = time.perf_counter() - started, sum(job.rows for job in jobs)
        together = len(jobs) > 1
        if not any(isinstance(found, Problem) for found in outcomes):  # what failed says nothing about the costs
            self._cost[together] = _smooth(self._cost[together], elapsed / len(jobs))
            self._row = _smooth(self._row, stages[1] / rows)
        self.numbers.ran([started - job.queued for job in jobs], rows, stages)
        for job, found in zip(jobs, outcomes, strict=True):
            if job.future.done():
                continue  # nobody waits for it any more
            if isinstance(found, Problem):
                job.future.set_exception(found)
            else:
                job.future.set_result(found)


def signature(tensors: Mapping[str, Array]) -> Signature:
    """What has to be the same for requests that are computed together: all but the number of rows."""
    return tuple(sorted((name, array.dtype.str, array.shape[1:]) for name, array in tensors.items()))


def compute(engine: Engine, given: list[Mapping[str, Array]]) -> Run:
    """Compute a batch. When it fails, each request is computed for itself, so only the bad one fails."""
    began = prepared = time.perf_counter()
    tensors = given[0]
    try:
        if len(given) > 1:
            tensors = {name: np.concatenate([each[name] for each in given]) for name in tensors}
        prepared = time.perf_counter()
        outputs = engine.run(tensors)
        ran = time.perf_counter()
        parts = [outputs] if len(given) == 1 else split(outputs, [len(next(iter(each.values()))) for each in given])
        outcomes: list[Outcome] = [fault(part) or part for part in parts]
    except Exception as error:  # too little memory, or what nobody foresaw
        ran = time.perf_counter()
        fell = error if isinstance(error, ModelFailed) else ModelFailed(f"It failed by {type(error).__name__}.")
        outcomes = [fell] if len(given) == 1 else [compute(engine, [each])[0][0] for each in given]
    return outcomes, (prepared - began, ran - prepared, time.perf_counter() - ran)


def split(outputs: Mapping[str, Array], rows: list[int]) -> list[dict[str, Array]]:
    """To each its own rows. Raises ModelFailed when there are not as many as went in."""
    if any(len(array) != sum(rows) for array in outputs.values()):
        raise ModelFailed("It does not give a row for each row.")
    parts = [np.split(array, np.cumsum(rows)[:-1]) for array in outputs.values()]
    return [dict(zip(outputs, part, strict=True)) for part in zip(*parts, strict=True)]


def _smooth(before: float, newest: float) -> float:
    """The mean of late. A shorter time says more than a longer one, which others on the machine may have made."""
    if not before:
        return newest
    return before + (newest - before) / 2 if newest < before else before + (min(newest, 3 * before) - before) / 8
