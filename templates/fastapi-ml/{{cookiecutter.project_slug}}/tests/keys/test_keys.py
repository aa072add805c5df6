"""Keys: what they open, how long, how often, and that nobody can read them."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from app.database import Database, now
from app.keys import services
from app.keys.models import Allowance, Key
from app.keys.services import Gate, Holder
from app.settings import Settings
from tests.conftest import Connect, a_key, serving

URL = "/api/v1/models"


async def test_a_key_is_a_key(program: Connect) -> None:
    assert (await (await program()).get(URL)).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer é"])
async def test_anything_else_is_none(anonymous: httpx2.AsyncClient, header: str) -> None:
    answer = await anonymous.get(URL, headers={"Authorization": header.encode()})  # type: ignore[dict-item]
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_database_does_not_have_the_secret(database: Database, settings: Settings) -> None:
    secret = await a_key(database, settings)
    async with database.read() as session:
        kept = (await session.scalars(select(Key.digest))).one()
    assert secret.encode() not in kept


async def test_another_secret_key_ends_every_key(database: Database, settings: Settings) -> None:
    secret = await a_key(database, settings)
    other = settings.secret_key.__class__("y" * 40)
    assert await Gate(database, settings.secret_key).holder(secret)
    assert await Gate(database, other).holder(secret) is None


async def test_a_key_ends_by_itself(database: Database, settings: Settings) -> None:
    secret = await a_key(database, settings)
    async with database.write() as session:
        await session.execute(update(Key).values(expires_at=now() - timedelta(seconds=1)))
    assert await Gate(database, settings.secret_key).holder(secret) is None


async def test_a_revoked_key_works_for_two_seconds_at_most(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, gate = await a_key(database, settings), Gate(database, settings.secret_key)
    assert await gate.holder(secret)
    (key,) = await services.keys(database)
    await services.revoke(database, label=key.label)
    moment = services.time.monotonic()
    monkeypatch.setattr(services.time, "monotonic", lambda: moment + 2)
    assert await gate.holder(secret) is None


async def test_a_key_of_the_same_label_replaces_the_one_before(database: Database, settings: Settings) -> None:
    async def make() -> str:
        lasts = timedelta(days=1)
        return await services.create_key(
            database, secret_key=settings.secret_key, label="ci", scope="predict", per_minute=10, lasts=lasts
        )

    first, second = await make(), await make()
    gate = Gate(database, settings.secret_key)
    assert await gate.holder(first) is None
    assert await gate.holder(second) == Holder("key ci", "predict", 10)


async def test_who_asks_too_often_is_told_when_to_come_back(program: Connect) -> None:
    client = await program(per_minute=5)
    answers = [await client.get(URL) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["type"] == "/problems/too-many-requests"


async def test_the_limit_holds_across_processes_and_at_once(database: Database, settings: Settings) -> None:
    """Each gate is what a process has."""
    holder = Holder("key shared", "predict", 100)
    gates = [Gate(database, settings.secret_key) for _ in range(4)]

    async def ask(gate: Gate) -> bool:
        try:
            await gate.admit(holder)
        except services.TooManyRequests:
            return False
        return True

    let_in = await asyncio.gather(*(ask(gate) for gate in gates for _ in range(60)))
    assert 100 - 4 * 5 <= sum(let_in) <= 100, "never more; a process may hold back a block of five"


async def test_the_minute_passes(database: Database, settings: Settings) -> None:
    holder, gate = Holder("key x", "predict", 2), Gate(database, settings.secret_key)
    await gate.admit(holder)
    await gate.admit(holder)
    with pytest.raises(services.TooManyRequests):
        await gate.admit(holder)
    async with database.write() as session:
        await session.execute(update(Allowance).values(ends_at=now() - timedelta(seconds=1)))
    await gate.admit(holder)


async def test_a_flood_of_requests_is_a_few_questions_to_the_database(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, gate, asked = await a_key(database, settings, per_minute=2000), Gate(database, settings.secret_key), []
    read, write = database.read, database.write
    monkeypatch.setattr(database, "read", lambda: asked.append("read") or read())
    monkeypatch.setattr(database, "write", lambda: asked.append("write") or write())
    for _ in range(300):
        holder = await gate.holder(secret)
        assert holder
        await gate.admit(holder)
    assert asked == ["read", "write", "write", "write"], "who it is once, then a block of 100 requests each time"


async def test_a_key_of_one_server_opens_another(database: Database, settings: Settings) -> None:
    secret = await a_key(database, settings)
    async with serving(settings) as other, httpx2.AsyncClient(base_url=other) as client:
        assert (await client.get(URL, headers={"Authorization": f"Bearer {secret}"})).status_code == 200
