"""Micro-batching, by random plans: whatever comes together, each caller gets the answer to its own rows."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inference.cards import Card
from app.inference.errors import ModelFailed, NotANumber
from app.inference.tensors import Array, weight
from app.problems import Problem
from app.serving import batching
from app.serving.batching import LONGEST_RUN, Lane, Scheduler
from app.serving.errors import TooBusy, TooLate
from app.serving.numbers import Numbers
from tests.models import times

POISON, NAN = -1.0, -2.0


class Engine:
    """Doubles numbers. Fails on a poisonous one, and says what was computed together."""

    batchable = True

    def __init__(self, *, seconds: Callable[[int], float] = lambda _rows: 0.0) -> None:
        self.runs: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._seconds = seconds

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        self.gate.wait(10)
        x = tensors["x"]
        self.runs.append(len(x))
        time.sleep(self._seconds(len(x)))
        if (x == POISON).any():
            raise ModelFailed("poison")
        return {"y": np.where(x == NAN, np.nan, x * 2)}


def scheduler(**changes: int) -> Scheduler:
    return Scheduler(**({"threads": 1, "longest_batch": 64, "longest_queue": 64, "most_bytes": 10**9} | changes))


def lane(engine: Any, shared: Scheduler | None = None, *, card: Card | None = None) -> Lane:
    return Lane("test", 1, card or times(2).card, engine, scheduler=shared or scheduler(), numbers=Numbers())


def rows(*values: float, width: int = 1) -> dict[str, Array]:
    return {"x": np.array([[value] * width for value in values], np.float32)}


async def blocked(engine: Engine, to: Lane) -> asyncio.Task[dict[str, Array]]:
    """The engine is busy with a first request until its gate opens; the lane knows what a row costs."""
    for _ in range(3):
        await to.infer(rows(0), seconds=10)
    engine.runs.clear()
    engine.gate.clear()
    first = asyncio.create_task(to.infer(rows(0), seconds=10))
    await asyncio.sleep(0.02)
    return first


async def test_who_comes_alone_does_not_wait() -> None:
    engine = Engine()
    started = time.perf_counter()
    assert (await lane(engine).infer(rows(1, 2), seconds=1))["y"].tolist() == [[2], [4]]
    assert time.perf_counter() - started < 0.2
    assert engine.runs == [2]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine even what is brief takes its time."""
    monkeypatch.setattr(batching, "BRIEF", 0.2)
    monkeypatch.setattr(batching, "LONGEST_RUN", 10.0)


@pytest.mark.usefixtures("patient")
async def test_what_is_known_to_be_brief_is_computed_where_it_is() -> None:
    engine = Engine()
    to = lane(engine)
    assert not to.brief(rows(1)), "nobody knows yet"
    await to.infer(rows(1), seconds=1)
    assert to.brief(rows(2))
    assert not to.brief(rows(1, 2)), "of so many rows nobody knows yet"
    threads = []
    engine.run = lambda tensors: threads.append(threading.current_thread()) or {"y": tensors["x"] * 2}  # type: ignore[method-assign,func-returns-value]
    assert to.infer_here(rows(3))["y"].tolist() == [[6]]
    assert threads == [threading.current_thread()]
    assert (to.numbers.runs, to.numbers.rows) == (2, 2)


async def test_what_is_brief_fails_as_in_a_thread() -> None:
    to = lane(Engine())
    await to.infer(rows(1), seconds=1)
    for value, error in ((POISON, ModelFailed), (NAN, NotANumber)):
        with pytest.raises(error):
            to.infer_here(rows(value))


@pytest.mark.usefixtures("patient")
async def test_what_is_not_brief_or_may_be_long_or_has_a_queue_before_it_waits_its_turn() -> None:
    slow = lane(Engine(seconds=lambda _rows: 0.3))
    await slow.infer(rows(1), seconds=1)
    assert not slow.brief(rows(1))
    card = times(2).card
    takes = [each.model_copy(update={"shape": [-1, -1]}) for each in card.inputs]
    open_ = lane(Engine(), card=card.model_copy(update={"inputs": takes}))
    await open_.infer(rows(1), seconds=1)
    assert not open_.brief(rows(1)), "the next row may be a thousand times as long"
    engine = Engine()
    first = await blocked(engine, to := lane(engine))
    waits = asyncio.create_task(to.infer(rows(1), seconds=10))
    await asyncio.sleep(0.02)
    assert not to.brief(rows(1)), "who came before goes before"
    engine.gate.set()
    await asyncio.gather(first, waits)


async def test_texts_weigh_what_they_are_long() -> None:
    texts = {"x": np.array([["a" * 1000], ["b" * 1000]], object)}
    assert sum(map(weight, texts.values())) > 2000
    engine = Engine()
    to = lane(engine, shared := scheduler(most_bytes=3000))
    first = await blocked(engine, to)
    waiting = asyncio.create_task(to.infer(texts, seconds=10))
    await asyncio.sleep(0.02)
    assert shared.bytes > 2000
    with pytest.raises(TooBusy):
        await to.infer(texts, seconds=10)
    waiting.cancel()
    engine.gate.set()
    await asyncio.gather(first, waiting, return_exceptions=True)


@pytest.mark.usefixtures("patient")
async def test_what_queued_while_the_engine_was_busy_is_computed_together() -> None:
    engine = Engine()
    to = lane(engine)
    first = await blocked(engine, to)
    others = [asyncio.create_task(to.infer(rows(each), seconds=10)) for each in range(8)]
    await asyncio.sleep(0.02)
    engine.gate.set()
    answers = await asyncio.gather(first, *others)
    assert engine.runs == [1, 8]
    assert [each["y"].tolist() for each in answers[1:]] == [[[2 * each]] for each in range(8)]


@pytest.mark.usefixtures("patient")
async def test_what_comes_in_one_turn_of_the_loop_is_computed_together() -> None:
    engine = Engine()
    to = lane(engine)
    await to.infer(rows(0), seconds=10)  # what one costs alone is measured first
    await asyncio.gather(*(to.infer(rows(each), seconds=10) for each in range(5)))
    assert engine.runs == [1, 5]


async def test_a_poisoned_row_fails_alone() -> None:
    engine = Engine()
    to = lane(engine)
    first = await blocked(engine, to)
    values = [1, POISON, 3, NAN, 5]
    others = [asyncio.create_task(to.infer(rows(value), seconds=10)) for value in values]
    await asyncio.sleep(0.02)
    engine.gate.set()
    found = await asyncio.gather(first, *others, return_exceptions=True)
    assert isinstance(found[2], ModelFailed)
    assert isinstance(found[4], NotANumber)
    assert [each["y"].tolist() for each in (found[1], found[3], found[5])] == [[[2]], [[6]], [[10]]]  # type: ignore[index]


async def test_a_full_queue_says_when_to_come_back() -> None:
    engine = Engine()
    to = lane(engine, scheduler(longest_queue=3))
    first = await blocked(engine, to)
    waiting = [asyncio.create_task(to.infer(rows(each), seconds=10)) for each in range(3)]
    await asyncio.sleep(0.02)
    with pytest.raises(TooBusy) as refused:
        await to.infer(rows(9), seconds=10)
    assert refused.value.headers
    assert int(refused.value.headers["Retry-After"]) >= 1
    engine.gate.set()
    await asyncio.gather(first, *waiting)
    assert (await to.infer(rows(9), seconds=10))["y"].tolist() == [[18]], "it has recovered"


async def test_a_queue_has_so_many_bytes_at_most() -> None:
    engine = Engine()
    to = lane(engine, shared := scheduler(most_bytes=100))
    first = await blocked(engine, to)
    waiting = asyncio.create_task(to.infer(rows(*range(20)), seconds=10))
    await asyncio.sleep(0.02)
    assert shared.bytes == 80
    with pytest.raises(TooBusy):
        await to.infer(rows(*range(20)), seconds=10)
    engine.gate.set()
    await asyncio.gather(first, waiting)
    assert shared.bytes == 0


async def test_nobody_waits_longer_than_the_deadline() -> None:
    engine = Engine()
    to = lane(engine)
    first = await blocked(engine, to)
    started = time.perf_counter()
    with pytest.raises(TooLate):
        await to.infer(rows(1), seconds=0.1)
    assert 0.09 < time.perf_counter() - started < 1
    assert to.depth == 0
    engine.gate.set()
    await first
    assert engine.runs == [1], "what came too late was not computed"


async def test_who_goes_away_costs_nothing() -> None:
    engine = Engine()
    to = lane(engine, shared := scheduler())
    first = await blocked(engine, to)
    gone = [asyncio.create_task(to.infer(rows(each), seconds=10)) for each in range(4)]
    stays = asyncio.create_task(to.infer(rows(7), seconds=10))
    await asyncio.sleep(0.02)
    for task in gone:
        task.cancel()
    await asyncio.sleep(0)
    assert (to.depth, shared.bytes) == (1, 4)
    engine.gate.set()
    await asyncio.gather(first, stays, *gone, return_exceptions=True)
    assert engine.runs == [1, 1]


async def test_a_flood_on_one_model_holds_up_another_by_one_batch() -> None:
    shared = scheduler(longest_queue=1000)
    slow, quick = Engine(seconds=lambda rows: 0.005 * rows), Engine()
    flooded, other = lane(slow, shared), lane(quick, shared)
    flood = [asyncio.create_task(flooded.infer(rows(each), seconds=60)) for each in range(300)]
    await asyncio.sleep(0.3)
    for _ in range(5):
        started = time.perf_counter()
        await other.infer(rows(1), seconds=2)
        assert time.perf_counter() - started < 0.1 + 4 * LONGEST_RUN
    assert not flood[-1].done()
    assert max(slow.runs[3:]) * 0.005 <= LONGEST_RUN * 1.5, "a batch is so large as it may take long"
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)


async def flooded(engine: Engine, *, clients: int = 16, each: int = 30) -> Lane:
    """So many clients, one request after the other each."""
    to = lane(engine)

    async def client() -> None:
        for _ in range(each):
            await to.infer(rows(1), seconds=30)

    await asyncio.gather(*(client() for _ in range(clients)))
    return to


async def test_batching_goes_on_where_it_gains_something() -> None:
    engine = Engine(seconds=lambda _rows: 0.004)
    await flooded(engine)
    assert len(engine.runs) < 480 / 4


async def test_batching_switches_itself_off_where_it_gains_nothing() -> None:
    engine = Engine(seconds=lambda rows: 0.01 * rows * (1.5 if rows > 1 else 1))
    await flooded(engine, each=10)
    later = engine.runs[-len(engine.runs) // 4 :]
    assert later.count(1) / len(later) > 0.7, "but for the probes"


async def test_what_cannot_be_put_together_is_not() -> None:
    engine = Engine()
    engine.batchable = False
    to = lane(engine)
    await asyncio.gather(*(to.infer(rows(each), seconds=10) for each in range(5)))
    assert engine.runs == [1] * 5


async def test_a_model_that_loses_rows_is_asked_again_one_by_one() -> None:
    class Losing(Engine):
        def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
            outputs = super().run(tensors)
            return outputs if len(tensors["x"]) == 1 else {"y": outputs["y"][:1]}

    to = lane(Losing())
    answers = await asyncio.gather(*(to.infer(rows(each), seconds=10) for each in range(5)))
    assert [each["y"].tolist() for each in answers] == [[[2 * each]] for each in range(5)]


async def test_too_little_memory_for_all_together_is_enough_for_each() -> None:
    class Large(Engine):
        def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
            if len(next(iter(tensors.values()))) > 1:
                raise MemoryError
            return super().run(tensors)

    to = lane(Large())
    found = await asyncio.gather(*(to.infer(rows(number), seconds=5) for number in (1, 2, 3, 4)))
    assert len(found) == 4


async def test_a_first_run_that_fails_teaches_nothing() -> None:
    class Late(Engine):
        fails = True

        def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
            if self.fails:
                raise RuntimeError
            return super().run(tensors)

    engine = Late()
    to = lane(engine)
    with pytest.raises(ModelFailed):
        await to.infer(rows(1), seconds=5)
    engine.fails = False
    for _ in range(3):
        await asyncio.gather(*(to.infer(rows(number), seconds=5) for number in (1, 2, 3)))


async def test_a_failure_that_nobody_foresaw_is_an_answer_too() -> None:
    class Failing(Engine):
        def run(self, _tensors: Mapping[str, Array]) -> dict[str, Array]:
            raise RuntimeError

    with pytest.raises(ModelFailed, match="RuntimeError"):
        await lane(Failing()).infer(rows(1), seconds=5)


REQUEST = st.tuples(
    st.lists(st.sampled_from([0.0, 1.0, 2.5, 7.0, POISON, NAN]), min_size=1, max_size=5),  # its rows
    st.integers(1, 3),  # how wide: another signature each
    st.sampled_from(["stays", "stays", "stays", "goes"]),
    st.integers(0, 3),  # turns of the loop before it
)


@settings(deadline=None, max_examples=150)
@given(plan=st.lists(REQUEST, min_size=1, max_size=25), threads=st.integers(1, 3), longest=st.integers(1, 12))
def test_each_gets_what_it_would_have_got_alone(plan: list[Any], threads: int, longest: int) -> None:
    async def carry_out() -> None:
        shared = scheduler(threads=threads, longest_batch=longest)
        to = lane(Engine(), shared)
        tasks = []
        for values, width, what, turns in plan:
            for _ in range(turns):
                await asyncio.sleep(0)
            task = asyncio.create_task(to.infer(rows(*values, width=width), seconds=30))
            if what == "goes":
                asyncio.get_running_loop().call_soon(task.cancel)
            tasks.append(task)
        for (values, width, what, _), found in zip(
            plan, await asyncio.gather(*tasks, return_exceptions=True), strict=True
        ):
            if isinstance(found, asyncio.CancelledError):
                assert what == "goes"
            elif isinstance(found, Problem):
                assert isinstance(found, ModelFailed if POISON in values else NotANumber)
                assert POISON in values or NAN in values
            else:
                assert not isinstance(found, BaseException), found
                assert not {POISON, NAN} & set(values)
                assert found["y"].tolist() == [[2 * value] * width for value in values]
        assert (to.depth, shared.bytes) == (0, 0)
        shared.close()

    asyncio.run(carry_out())
