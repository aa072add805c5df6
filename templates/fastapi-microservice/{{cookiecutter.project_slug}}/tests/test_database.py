"""The database: migrations there and back, and transactions that are whole or not at all."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import alembic.command
import httpx2
import psycopg
import pytest
from alembic.config import Config
from alembic.ddl.impl import DefaultImpl
from psycopg.pq import TransactionStatus
from sqlalchemy import Table, func, insert, select, text, update
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import IntegrityError, OperationalError

import app.database
from app.database import Database, migrations, now
from app.outbox.models import Event
from app.products.models import Movement, Product
from app.settings import Settings
from tests.conftest import a_product, fresh_database, once


@pytest.fixture
def empty(settings: Settings, on_postgresql: bool, tmp_path: object) -> Iterator[Config]:
    """Alembic on a database without tables."""
    config = migrations()
    if on_postgresql:
        with fresh_database(settings.database_url) as url:
            config.attributes["url"] = settings.model_copy(update={"database_url": url}).database
            yield config
    else:
        config.attributes["url"] = f"sqlite:///{tmp_path}/migrations.sqlite3"
        yield config


def test_migrations_go_up_down_and_up_and_match_the_models(empty: Config) -> None:
    alembic.command.upgrade(empty, "head")
    alembic.command.check(empty)
    alembic.command.downgrade(empty, "base")
    alembic.command.upgrade(empty, "head")
    alembic.command.check(empty)


def test_a_migration_that_fails_leaves_nothing_half_done(empty: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    create_table = DefaultImpl.create_table

    def fail_half_way(implementation: DefaultImpl, table: Table, **more: Any) -> None:
        if table.name == "reservations":
            raise RuntimeError("the power went")
        create_table(implementation, table, **more)

    with monkeypatch.context() as patch:
        patch.setattr(DefaultImpl, "create_table", fail_half_way)
        with pytest.raises(RuntimeError):
            alembic.command.upgrade(empty, "head")
    alembic.command.upgrade(empty, "head")
    alembic.command.check(empty)


async def test_a_question_about_the_schema_waits_for_no_writer(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE products SET name = name"))
        async with asyncio.timeout(2):
            assert await database.schema() == "ok"


async def test_a_question_is_no_transaction(database: Database, on_postgresql: bool) -> None:
    async with database.read() as connection:
        await connection.scalar(select(func.count()).select_from(Product))
        driver: Any = (await connection.get_raw_connection()).driver_connection
        began = driver.info.transaction_status != TransactionStatus.IDLE if on_postgresql else driver.in_transaction
    assert not began, "BEGIN and ROLLBACK around it would double its price"


async def test_an_error_does_not_carry_what_people_wrote(database: Database) -> None:
    async def twice() -> None:
        async with database.write() as connection:
            for _ in range(2):
                await connection.execute(insert(Product).values(a_row("A") | {"name": "what-they-wrote"}))

    with pytest.raises(IntegrityError) as failed:
        await twice()
    assert "what-they-wrote" not in str(failed.value)


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async def half() -> None:
        async with database.write() as connection:
            await connection.execute(insert(Product).values(a_row("A")))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    async with database.read() as connection:
        assert await connection.scalar(select(Product.id)) is None


async def test_a_commit_that_fails_is_never_a_success(
    writer: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await a_product(writer, on_hand=5)

    def fail(*_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    monkeypatch.setattr(DefaultDialect, "do_commit", fail)
    held = {"product_id": product["id"], "quantity": 1}
    for path, body in (("products", {"sku": "NEW", "name": "New"}), ("reservations", held)):
        answer = await writer.post(f"/api/v1/{path}", json=body, headers=once())
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    monkeypatch.undo()
    assert (await writer.get("/api/v1/products")).json()["items"][0]["available"] == 5
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(Product)) == 1
        happened = (await connection.execute(select(Event.type).order_by(Event.id))).scalars().all()
    assert happened == ["stock.product.created.v1", "stock.movement.made.v1"], "and nobody is told of the others"


async def test_what_is_always_true_is_kept_by_the_database(database: Database) -> None:
    for wrong in ({"on_hand": 1, "reserved": 2}, {"on_hand": 1, "reserved": -1}):
        with pytest.raises(IntegrityError):
            async with database.write() as connection:
                await connection.execute(insert(Product).values(a_row("A") | wrong))


async def test_thirty_who_read_then_write_do_not_lose_an_update(database: Database, settings: Settings) -> None:
    """Each in its own process, as far as the lock is concerned: every one has its own engine."""
    async with database.write() as connection:
        product_id = await connection.scalar(insert(Product).values(a_row("A")).returning(Product.id))
    lock = "" if settings.database.drivername == "sqlite" else " FOR UPDATE"

    async def increment() -> None:
        own = Database(settings.async_database)
        async with own.write() as connection:
            count = await connection.scalar(text(f"SELECT on_hand FROM products WHERE sku = 'A'{lock}"))  # noqa: S608
            await asyncio.sleep(0.001)
            await connection.execute(update(Product).where(Product.id == product_id).values(on_hand=count + 1))
        await own.close()

    await asyncio.gather(*(increment() for _ in range(30)))
    async with database.read() as connection:
        assert await connection.scalar(select(Product.on_hand)) == 30


async def test_what_postgresql_does_for_a_request_ends_with_its_deadline(
    settings: Settings, on_postgresql: bool
) -> None:
    if not on_postgresql:
        return  # there nothing is done in another process
    hasty = Database(settings.async_database, deadline=timedelta(seconds=0.5))
    began = time.monotonic()
    with pytest.raises(OperationalError):
        async with hasty.read() as connection:
            await connection.execute(text("SELECT pg_sleep(20)"))
    assert time.monotonic() - began < 10
    await hasty.close()


async def test_a_lock_of_another_process_is_waited_for_no_longer_than_the_deadline(
    settings: Settings, on_postgresql: bool
) -> None:
    """PostgreSQL's statement_timeout does it there."""
    if on_postgresql:
        return
    hasty = Database(settings.async_database, deadline=timedelta(seconds=0.5))
    async with hasty.write():
        pass
    other = sqlite3.connect(str(settings.database.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(OperationalError):
        async with hasty.write():
            pass
    assert 0.4 < time.monotonic() - began < 3
    other.execute("ROLLBACK")
    other.close()
    await hasty.close()


async def test_instants_are_utc_whatever_the_zone_of_the_server(settings: Settings, on_postgresql: bool) -> None:
    if not on_postgresql:
        return  # SQLite knows no zone
    with fresh_database(settings.database_url) as url:
        elsewhere = settings.model_copy(update={"database_url": url})
        name = elsewhere.database.database
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
        database = Database(elsewhere.async_database)
        async with database.read() as connection:
            moment = (await connection.execute(select(func.now()))).scalar_one()
        await database.close()
    assert moment.utcoffset() == timedelta(0), "answers say Z"


async def test_foreign_keys_are_kept(database: Database) -> None:
    values = {"product_id": 1, "kind": "receive", "change": 1, "on_hand": 1, "note": "", "created_at": now()}
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(insert(Movement).values(values))


def test_older_revisions_are_those_that_another_one_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001_a.py").write_text('revision: str = "0001"\ndown_revision: str | None = None\n')
    (tmp_path / "0002_b.py").write_text('revision: str = "0002"\ndown_revision: str | None = "0001"\n')
    monkeypatch.setattr(app.database, "VERSIONS", tmp_path)
    assert app.database._older_revisions.__wrapped__() == {"0001"}  # noqa: SLF001


def a_row(sku: str) -> dict[str, Any]:
    """A product as a row."""
    return {"sku": sku, "name": "Tea", "on_hand": 0, "reserved": 0, "created_at": now(), "updated_at": now()}
