"""Keys: what they open, how long, and that nobody can read them."""

import time
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, now
from app.keys import services
from app.keys.models import Key
from app.keys.services import Gate, Holder
from app.settings import Settings
from tests.conftest import PATIENCE, Connect, a_key, serving

URL = "/v2/models/nothing"


async def test_a_key_is_a_key(program: Connect) -> None:
    assert (await (await program()).get(URL)).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer é"])
async def test_anything_else_is_none(anonymous: httpx2.AsyncClient, header: str) -> None:
    answer = await anonymous.get(URL, headers={b"Authorization": header.encode()})
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
    moment = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: moment + 2)
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


async def test_a_flood_of_requests_is_one_question_to_the_database(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, gate, asked = await a_key(database, settings), Gate(database, settings.secret_key), list[str]()
    read = database.read

    def count() -> AsyncSession:
        asked.append("read")
        return read()

    monkeypatch.setattr(database, "read", count)
    for _ in range(300):
        assert await gate.holder(secret)
    assert asked == ["read"]


async def test_a_key_of_one_server_opens_another(database: Database, settings: Settings) -> None:
    secret = await a_key(database, settings)
    async with serving(settings) as other, httpx2.AsyncClient(base_url=other, timeout=PATIENCE) as client:
        assert (await client.get(URL, headers={"Authorization": f"Bearer {secret}"})).status_code == 404
