"""The journal: what was foretold is kept, and never at the price of an answer."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from app.database import Database, now
from app.journal import services
from app.journal.models import Prediction
from app.journal.services import Journal
from app.keys.services import Holder
from tests.conftest import Connect, Serve
from tests.models import times
from tests.serving.test_batching import Engine, lane, rows
from tests.serving.test_protocol import X, ask

ADA = Holder("ada", "predict", 1)


async def written(database: Database, count: int, *, of: str = "test") -> list[Prediction]:
    """The predictions, once there are so many."""
    async with asyncio.timeout(20):
        while True:
            async with database.read() as session:
                if (
                    len(found := list((await session.scalars(select(Prediction).where(Prediction.model == of))).all()))
                    >= count
                ):
                    return found
            await asyncio.sleep(0.05)


async def test_a_prediction_is_written_behind_its_answer(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2)), await program()
    answer = await client.post(f"/v2/models/{name}/infer", json={"inputs": [X]}, headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 200
    (kept,) = await written(database, 1, of=name)
    assert (kept.model, kept.version, kept.rows, kept.request_id) == (name, 1, 2, "request-1")
    assert kept.asked_by.startswith("key ")
    assert (kept.inputs, kept.outputs) == ({"x": [[1, 2], [3, 4]]}, {"y": [[2, 4], [6, 8]]})


async def test_what_failed_is_no_prediction(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2)), await program()
    await ask(client, name, X | {"shape": [4]})
    await ask(client, name, X)
    await asyncio.sleep(0.8)
    assert len(await written(database, 1, of=name)) == 1


async def test_a_long_request_is_kept_by_its_beginning(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2)), await program()
    assert (await ask(client, name, X | {"shape": [1000, 2], "data": [1.0] * 2000})).status_code == 200
    (kept,) = await written(database, 1, of=name)
    assert (kept.rows, len(kept.inputs["x"])) == (1000, services.ROWS)


async def test_a_full_buffer_drops_and_counts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LONGEST", 3)
    counters: dict[str, int] = {}
    journal, of = Journal(database, counters, days=1), lane(Engine())
    for number in range(5):
        journal.note(ADA, of, rows(number), rows(number))
    assert counters == {"log_dropped": 2}
    await journal.write()
    assert len(await written(database, 3)) == 3
    journal.note(ADA, of, rows(9), rows(9))
    assert counters == {"log_dropped": 2}, "there is room again"


def test_what_waits_to_be_written_does_not_keep_whole_bodies(database: Database) -> None:
    journal = Journal(database, {}, days=1)
    large, long = np.zeros((2, services.VALUES), np.float32), np.zeros((10_000, 1), np.float32)
    journal.note(ADA, lane(Engine()), {"large": large, "long": long}, {})
    kept = journal.waiting[0]["inputs"]
    assert [*kept] == ["long"]
    assert (kept["long"].base, len(kept["long"])) == (None, services.ROWS)


async def test_what_cannot_be_written_is_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(database, {}, days=1)
    journal.note(ADA, lane(Engine()), rows(1), rows(2))

    def fail() -> Any:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", fail)
        await journal.last()
    await journal.last()
    assert len(await written(database, 1)) == 1


async def test_what_is_old_is_deleted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WRITE_EVERY", 0.01)
    journal = Journal(database, {}, days=7)
    for number in range(2):
        journal.note(ADA, lane(Engine()), rows(number), rows(number))
    await journal.write()
    oldest = select(Prediction.id).limit(1).scalar_subquery()
    async with database.write() as session:
        await session.execute(update(Prediction).where(Prediction.id == oldest).values(at=now() - timedelta(days=8)))
    task = asyncio.create_task(journal.run())
    async with asyncio.timeout(20):
        while True:
            async with database.read() as session:
                if await session.scalar(select(func.count()).select_from(Prediction)) == 1:
                    break
            await asyncio.sleep(0.02)
    task.cancel()
