"""Allowances: counted across processes, told with every answer."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from app.database import Database, now
from app.limits.errors import TooManyRequests
from app.limits.models import Allowance
from app.limits.services import Limits
from app.settings import Settings
from tests.conftest import Connect, serving


async def admitted(limits: Limits, holder: str, times: int) -> int:
    """How many of so many requests are let in."""
    found = 0
    for _ in range(times):
        try:
            await limits.admit(holder)
            found += 1
        except TooManyRequests:
            pass
    return found


async def test_several_processes_together_let_in_what_is_allowed_and_not_one_more(settings: Settings) -> None:
    own = [Database(settings.async_database) for _ in range(3)]
    processes = [Limits(each, (50, 60)) for each in own]
    assert sum(await asyncio.gather(*(admitted(each, "together", 60) for each in processes))) == 50
    for each in own:
        await each.close()


async def test_another_caller_and_another_policy_count_for_themselves(database: Database) -> None:
    limits = Limits(database, (5, 60))
    assert await admitted(limits, "a", 9) == 5
    assert await admitted(limits, "b", 9) == 5
    assert await admitted(Limits(database, (7, 60)), "a", 9) == 7
    assert await admitted(Limits(database, (5, 60)), "a", 9) == 0, "another process knows"


async def test_a_window_ends(database: Database) -> None:
    assert await admitted(Limits(database, (5, 60)), "later", 9) == 5
    async with database.write() as connection:
        await connection.execute(update(Allowance).values(ends_at=now() - timedelta(seconds=1)))
    assert await admitted(Limits(database, (5, 60)), "later", 9) == 5


async def test_most_requests_cost_no_question(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limits, taken = Limits(database, (600, 60)), 0
    take = limits._take  # noqa: SLF001

    async def count(holder: str) -> object:
        nonlocal taken
        taken += 1
        return await take(holder)

    monkeypatch.setattr(limits, "_take", count)
    assert await admitted(limits, "many", 700) == 600
    assert taken == 20
    async with database.read() as connection:
        assert await connection.scalar(select(Allowance.taken).where(Allowance.holder == "many")) == 600


async def test_what_nobody_asks_for_any_more_is_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.limits.services.MOST_KNOWN", 5)
    limits = Limits(database, (5, 60))
    for number in range(8):
        await limits.admit(f"caller-{number}")
        for block in limits._blocks.values():  # noqa: SLF001
            block.until = 0.0
    assert len(limits._blocks) <= 7  # noqa: SLF001


async def test_every_answer_tells_what_is_left(settings: Settings, program: Connect) -> None:
    little = settings.model_copy(update={"rate_limit": "40/60"})
    async with serving(little) as address:
        client: httpx2.AsyncClient = await program("stock:read", at=address, name="counted")
        left = []
        for path in ("products", "products/999999", "products?wrong=1", "reservations"):
            answer = await client.get(f"/api/v1/{path}")
            assert answer.headers["ratelimit-policy"] == '"default";q=40;w=60'
            left.append(int(answer.headers["ratelimit"].split(";")[1].removeprefix("r=")))
        forbidden = await client.post("/api/v1/products", json={"sku": "A", "name": "A"})
        assert forbidden.status_code == 403
        left.append(int(forbidden.headers["ratelimit"].split(";")[1].removeprefix("r=")))
        assert left == [39, 38, 37, 36, 35]
        for _ in range(35):
            await client.get("/api/v1/products")
        refused = await client.get("/api/v1/products")
        assert (refused.status_code, refused.headers["ratelimit"].startswith('"default";r=0;t=')) == (429, True)
        assert 0 < int(refused.headers["retry-after"]) <= 60


async def test_who_is_unknown_is_told_nothing(anonymous: httpx2.AsyncClient) -> None:
    assert "ratelimit" not in (await anonymous.get("/api/v1/products")).headers
