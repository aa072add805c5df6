"""How often somebody may ask."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.database import Database, now
from app.keys.services import Holder
from app.limits.errors import TooManyRequests
from app.limits.models import Allowance
from app.limits.services import Limits
from tests.conftest import Connect

URL = "/v2/models/nothing"


async def test_who_asks_too_often_is_told_when_to_come_back(program: Connect) -> None:
    client = await program(per_minute=5)
    answers = [await client.get(URL) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [404] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert "too often" in answers[-1].json()["error"]


async def test_the_limit_holds_across_processes_and_at_once(database: Database) -> None:
    """Each gate is what a process has."""
    holder = Holder("key shared", "predict", 100)
    gates = [Limits(database) for _ in range(4)]

    async def ask(gate: Limits) -> bool:
        try:
            await gate.admit(holder)
        except TooManyRequests:
            return False
        return True

    let_in = await asyncio.gather(*(ask(gate) for gate in gates for _ in range(60)))
    assert 100 - 4 * 5 <= sum(let_in) <= 100, "never more; a process may hold back a block of five"


async def test_the_minute_passes(database: Database) -> None:
    holder, gate = Holder("key x", "predict", 2), Limits(database)
    await gate.admit(holder)
    await gate.admit(holder)
    with pytest.raises(TooManyRequests):
        await gate.admit(holder)
    async with database.write() as session:
        await session.execute(update(Allowance).values(ends_at=now() - timedelta(seconds=1)))
    await Limits(database).admit(holder)


async def test_who_goes_on_asking_costs_no_question(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, limits, asked, write = Holder("key x", "predict", 1), Limits(database), list[str](), database.write

    def count() -> object:
        asked.append("write")
        return write()

    monkeypatch.setattr(database, "write", count)
    await limits.admit(holder)
    for _ in range(50):
        with pytest.raises(TooManyRequests) as error:
            await limits.admit(holder)
        assert error.value.headers
    assert len(asked) == 2


async def test_a_flood_of_requests_is_a_few_writes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limits, asked, write = Limits(database), list[str](), database.write

    def count() -> object:
        asked.append("write")
        return write()

    monkeypatch.setattr(database, "write", count)
    for _ in range(300):
        await limits.admit(Holder("key x", "predict", 2000))
    assert len(asked) == 3, "a block of 100 requests each time"
