"""The registry: versions named by their bytes, one primary, changed by whoever was first."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.database import Database
from app.inference.errors import BadModel
from app.registry import services
from app.registry.errors import AnotherCard, NothingBefore, Overtaken, WrongDigest
from app.registry.files import Files, once
from app.registry.models import Model, Promotion, Version
from app.settings import Settings
from tests.conftest import Serve
from tests.models import Made, times


async def test_a_version_is_promoted_and_rolled_back(serve: Serve, database: Database, settings: Settings) -> None:
    name, files = await serve(times(2), times(3)), Files(settings.model_folder)
    with pytest.raises(NothingBefore):
        await services.roll_back(database, files, name=name, by="test")
    done = await services.promote(database, files, name=name, number=2, by="test")
    assert (done.generation, done.number, done.replaced) == (2, 2, 1)
    stages = [(each.number, each.stage) for each in await services.versions(database, name=name)]
    assert stages == [(2, "primary"), (1, "retired")]
    back = await services.roll_back(database, files, name=name, by="test")
    assert (back.generation, back.number, back.replaced) == (3, 1, 2)


async def test_who_rolls_back_undoes_nothing_that_nobody_has_seen(
    serve: Serve, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, files, promote = await serve(times(2), times(3), times(4)), Files(settings.model_folder), services.promote
    await promote(database, files, name=name, number=2, by="test")

    async def overtaken(*given: Any, **named: Any) -> Promotion:
        await promote(database, files, name=name, number=3, by="somebody else")
        return await promote(*given, **named)

    monkeypatch.setattr(services, "promote", overtaken)
    with pytest.raises(Overtaken):
        await services.roll_back(database, files, name=name, by="test")
    stages = [each.number for each in await services.versions(database, name=name) if each.stage == "primary"]
    assert stages == [3]


async def test_the_same_file_is_the_same_version_and_has_one_card(database: Database, settings: Settings) -> None:
    files, made = Files(settings.model_folder), times(2)
    await files.write(made.sha256, once(made.content))
    for _ in range(2):
        version = await services.register(database, files, name="x", sha256=made.sha256, card=made.card, by="test")
        assert version.number == 1
    other = made.card.model_copy(update={"description": "something else"})
    with pytest.raises(AnotherCard):
        await services.register(database, files, name="x", sha256=made.sha256, card=other, by="test")


async def test_a_model_that_fails_its_check_is_no_version(database: Database, settings: Settings) -> None:
    files, made = Files(settings.model_folder), times(2)
    await files.write(made.sha256, once(made.content))
    with pytest.raises(BadModel):
        await services.register(database, files, name="x", sha256=made.sha256, card=times(3).card, by="test")
    assert await services.primaries(database) == []


async def test_a_file_that_is_not_what_its_name_says_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(WrongDigest):
        await Files(tmp_path).write("a" * 64, once(b"something"))
    assert list(tmp_path.iterdir()) == [], "nothing is left, and nothing half"


async def test_of_many_who_promote_at_once_one_does(serve: Serve, database: Database, settings: Settings) -> None:
    """Each with an engine of its own, as if in a process of its own."""
    name, files = await serve(*(times(n) for n in range(2, 8))), Files(settings.model_folder)

    async def promote(number: int) -> bool:
        own = Database(settings.async_database)
        try:
            await services.promote(own, files, name=name, number=number, by="test", generation=1)
        except Overtaken:
            return False
        finally:
            await own.close()
        return True

    assert sorted(await asyncio.gather(*(promote(number) for number in range(2, 7)))) == [False] * 4 + [True]
    async with database.read() as session:
        assert await session.scalar(select(Model.generation)) == 2
        generations = (await session.scalars(select(Promotion.generation).order_by(Promotion.generation))).all()
        primary = (await session.scalars(select(Version).where(Version.stage == "primary"))).all()
    assert list(generations) == [1, 2]
    assert len(primary) == 1


async def test_the_database_has_no_two_primary_versions(serve: Serve, database: Database) -> None:
    await serve(times(2), times(3))

    async def both() -> None:
        async with database.write() as session:
            await session.execute(update(Version).values(stage="primary"))

    with pytest.raises(IntegrityError):
        await both()


async def test_a_file_that_was_changed_is_refused(serve: Serve, database: Database, settings: Settings) -> None:
    name, files = await serve(times(2), times(3)), Files(settings.model_folder)
    path = settings.model_folder / f"{times(3).sha256}.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        with pytest.raises(WrongDigest):
            await services.promote(database, files, name=name, number=2, by="test")
    finally:
        path.write_bytes(whole)
    async with database.read() as session:
        assert await session.scalar(select(Model.generation)) == 1


async def test_a_file_that_was_cut_short_under_its_own_digest_is_refused(
    database: Database, settings: Settings
) -> None:
    files, made = Files(settings.model_folder), times(2)
    short = Made(made.content[:-20], made.card)
    await files.write(short.sha256, once(short.content))
    with pytest.raises(BadModel, match="cut short"):
        await services.register(database, files, name="x", sha256=short.sha256, card=short.card, by="test")


async def test_writing_that_stops_leaves_nothing(tmp_path: Path) -> None:
    async def half() -> Any:
        yield b"half"
        raise RuntimeError("the client went away")

    with pytest.raises(RuntimeError):
        await Files(tmp_path).write("c" * 64, half())
    assert list(tmp_path.iterdir()) == []
