"""The database: migrations there and back, and transactions that are whole or not at all."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import alembic.command
import pytest
from alembic.config import Config
from alembic.ddl.impl import DefaultImpl
from sqlalchemy import Table, select, text, update
from sqlalchemy.exc import IntegrityError

from app.database import Database, migrations
from app.registry.models import Model, Promotion, Version
from app.settings import Settings
from tests.conftest import fresh_database


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
        if table.name == "versions":
            raise RuntimeError("the power went")
        create_table(implementation, table, **more)

    with monkeypatch.context() as patch:
        patch.setattr(DefaultImpl, "create_table", fail_half_way)
        with pytest.raises(RuntimeError):
            alembic.command.upgrade(empty, "head")
    alembic.command.upgrade(empty, "head")
    alembic.command.check(empty)


async def test_a_question_about_the_schema_waits_for_no_writer(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE models SET name = name"))
        async with asyncio.timeout(2):
            assert await database.schema() == "ok"


async def test_an_error_does_not_carry_what_people_wrote(database: Database) -> None:
    async with database.write() as session:
        session.add(model := Model(id=uuid.uuid4(), name="a"))
    facts = {"model_id": model.id, "number": 1, "size": 1, "card": {}, "created_by": "what-they-wrote"}
    with pytest.raises(IntegrityError) as failed:
        async with database.write() as session:
            session.add_all([Version(sha256=each * 64, **facts) for each in "ab"])
    assert "what-they-wrote" not in str(failed.value)


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async def half() -> None:
        async with database.write() as session:
            session.add(Model(name="a"))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    async with database.read() as session:
        assert await session.scalar(select(Model)) is None


async def test_a_commit_that_fails_is_an_error_for_the_caller(database: Database) -> None:
    async def twice() -> None:
        async with database.write() as session:
            session.add_all([Model(name="a"), Model(name="a")])

    with pytest.raises(IntegrityError):
        await twice()


async def test_thirty_who_read_then_write_do_not_lose_an_update(database: Database, settings: Settings) -> None:
    """Each in its own process, as far as the lock is concerned: every one has its own engine."""
    model_id = uuid.uuid4()
    async with database.write() as session:
        session.add(Model(id=model_id, name="counter"))
    lock = "" if settings.database.drivername == "sqlite" else " FOR UPDATE"

    async def increment() -> None:
        own = Database(settings.async_database)
        async with own.write() as session:
            count = await session.scalar(text(f"SELECT generation FROM models WHERE name = 'counter'{lock}"))  # noqa: S608
            await asyncio.sleep(0.001)
            await session.execute(update(Model).where(Model.id == model_id).values(generation=count + 1))
        await own.close()

    await asyncio.gather(*(increment() for _ in range(30)))
    async with database.read() as session:
        assert await session.scalar(select(Model.generation)) == 30


async def test_foreign_keys_are_kept(database: Database) -> None:
    async def orphan() -> None:
        async with database.write() as session:
            session.add(Promotion(model_id=uuid.uuid4(), generation=1, number=1, by="nobody"))

    with pytest.raises(IntegrityError):
        await orphan()
