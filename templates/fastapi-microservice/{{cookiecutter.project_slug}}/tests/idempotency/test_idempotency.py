"""What is done once, however often it is asked for."""

import asyncio
from datetime import timedelta
from typing import cast

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from app.database import Database, now
from app.idempotency import services
from app.idempotency.errors import IdempotencyKeyReused, RequestInProgress
from app.idempotency.models import StoredAnswer
from app.idempotency.services import Answer, fingerprint, once
from app.products.models import Movement
from app.settings import Settings
from tests.conftest import a_product

SAID = fingerprint("POST", "/x", {})


async def given(_connection: AsyncConnection) -> Answer:
    """Something that is done at once."""
    return Answer(201, b"{}")


async def test_a_second_one_waits_for_the_first_and_gets_its_answer(settings: Settings) -> None:
    """In other processes, as far as the database is concerned: each has an engine of its own."""
    done = 0

    async def slow(_connection: AsyncConnection) -> Answer:
        nonlocal done
        done += 1
        await asyncio.sleep(0.3)
        return Answer(201, b'{"done": 1}', '"e"', "/there")

    async def ask() -> Answer:
        own = Database(settings.async_database)
        try:
            return await once(own, caller="a", key="k", said=SAID, do=slow)
        finally:
            await own.close()

    answers = await asyncio.gather(*(ask() for _ in range(5)))
    assert done == 1
    assert {*answers} == {Answer(201, b'{"done": 1}', '"e"', "/there")}


async def test_a_second_one_waits_two_seconds_at_most(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LONGEST_WAIT", 0.3)
    begun, end = asyncio.Event(), asyncio.Event()

    async def endless(_connection: AsyncConnection) -> Answer:
        begun.set()
        await end.wait()
        return Answer(201, b"{}")

    first = asyncio.create_task(once(database, caller="a", key="k", said=SAID, do=endless))
    await begun.wait()
    with pytest.raises(RequestInProgress) as refused:
        await once(database, caller="a", key="k", said=SAID, do=given)
    assert refused.value.headers == {"Retry-After": "1"}
    end.set()
    assert (await first).status == 201


async def test_who_waits_for_a_key_takes_no_connection_from_others(database: Database) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def long(_connection: AsyncConnection) -> Answer:
        begun.set()
        await end.wait()
        return Answer(201, b"{}")

    first = asyncio.create_task(once(database, caller="a", key="k", said=SAID, do=long))
    await begun.wait()
    rest = [asyncio.create_task(once(database, caller="a", key="k", said=SAID, do=given)) for _ in range(20)]
    await asyncio.sleep(0.1)
    try:
        async with asyncio.timeout(0.5), database.read() as connection:
            assert await connection.scalar(select(1)) == 1
    finally:
        end.set()
    assert {answer.status for answer in await asyncio.gather(first, *rest)} == {201}


async def test_who_waits_for_another_process_takes_no_connection_from_others(
    database: Database, settings: Settings, on_postgresql: bool
) -> None:
    if not on_postgresql:
        return  # there the other process has the lock of all
    begun, end = asyncio.Event(), asyncio.Event()

    async def long(_connection: AsyncConnection) -> Answer:
        begun.set()
        await end.wait()
        return Answer(201, b"{}")

    other = Database(settings.async_database)
    first = asyncio.create_task(once(other, caller="a", key="k", said=SAID, do=long))
    await begun.wait()
    second = asyncio.create_task(once(database, caller="a", key="k", said=SAID, do=given))
    await asyncio.sleep(0.1)
    seen = set()
    for _ in range(20):
        seen.add(cast(QueuePool, database.engine.pool).checkedout())
        await asyncio.sleep(0.007)
    assert 0 in seen, "between two looks it has none"
    end.set()
    assert await first == await second
    await other.close()


async def test_what_failed_leaves_nothing_and_its_key_is_free(database: Database) -> None:
    async def fail(_connection: AsyncConnection) -> Answer:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await once(database, caller="a", key="k", said=SAID, do=fail)
    assert (await once(database, caller="a", key="k", said=SAID, do=given)).status == 201


async def test_a_key_is_its_callers_and_of_one_request(database: Database) -> None:
    await once(database, caller="a", key="k", said=SAID, do=given)
    await once(database, caller="b", key="k", said=fingerprint("POST", "/y", {}), do=given)
    with pytest.raises(IdempotencyKeyReused):
        await once(database, caller="a", key="k", said=fingerprint("POST", "/y", {}), do=given)


async def test_after_a_day_a_key_means_something_else(database: Database) -> None:
    await once(database, caller="a", key="k", said=SAID, do=given)
    async with database.write() as connection:
        await connection.execute(update(StoredAnswer).values(created_at=now() - timedelta(hours=24, seconds=1)))
    await once(database, caller="a", key="k", said=fingerprint("POST", "/y", {}), do=given)
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(StoredAnswer)) == 1


def test_the_order_of_members_says_nothing_and_everything_else_does() -> None:
    said = fingerprint("POST", "/x", {"a": 1, "b": [1, 2]})
    assert fingerprint("POST", "/x", {"b": [1, 2], "a": 1}) == said
    assert fingerprint("PUT", "/x", {"a": 1, "b": [1, 2]}) != said
    assert fingerprint("POST", "/y", {"a": 1, "b": [1, 2]}) != said
    assert fingerprint("POST", "/x", {"a": 1, "b": [2, 1]}) != said
    assert fingerprint("POST", "/x", None) != fingerprint("POST", "/x", {})


async def test_thirty_at_once_move_stock_once(writer: httpx2.AsyncClient, database: Database) -> None:
    product = await a_product(writer)
    path, body = f"/api/v1/products/{product['id']}/movements", {"kind": "receive", "quantity": 3}
    headers = {"Idempotency-Key": "the-same"}
    answers = await asyncio.gather(*(writer.post(path, json=body, headers=headers) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(Movement)) == 1
