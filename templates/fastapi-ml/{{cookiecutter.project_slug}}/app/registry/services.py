"""The rules of the registry: a version is registered once, and becomes the primary one when nobody else was faster."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Row, func, select, update

from app.database import Database
from app.inference.cards import Card
from app.inference.engine import Engine
from app.registry.errors import AlreadyPrimary, AnotherCard, ModelNotFound, NothingBefore, Overtaken, VersionNotFound
from app.registry.files import Files
from app.registry.models import Model, Promotion, Version


async def register(database: Database, files: Files, *, name: str, sha256: str, card: Card, by: str) -> Version:
    """Make a version of a file that is there. Raises BadModel when it fails its check, or AnotherCard.

    The same file and card again are the version that there is: whoever got no answer may ask once more.
    """
    content = await asyncio.to_thread(files.read, sha256)
    await asyncio.to_thread(Engine, content, card)
    said = card.model_dump(mode="json", exclude_defaults=True)
    async with database.write() as session:
        insert = database.insert(Model).values(name=name).on_conflict_do_nothing(index_elements=["name"])
        await session.execute(insert)
        model = (await session.scalars(select(Model).where(Model.name == name).with_for_update())).one()
        mine = Version.model_id == model.id
        if known := await session.scalar(select(Version).where(mine, Version.sha256 == sha256)):
            if known.card != said:
                raise AnotherCard(f"It is version {known.number} of {name}.")
            return known
        number = 1 + (await session.scalar(select(func.max(Version.number)).where(mine)) or 0)
        version = Version(model_id=model.id, number=number, sha256=sha256, size=len(content), card=said, created_by=by)
        session.add(version)
    return version


async def promote(
    database: Database, files: Files, *, name: str, number: int, by: str, generation: int | None = None
) -> Promotion:
    """Make a version the primary one, after it passed its check here. With a `generation`, only if that is still it.

    Raises ModelNotFound, VersionNotFound, AlreadyPrimary, BadModel, or Overtaken when somebody else changed it since.
    """
    model, version = await find(database, name=name, number=number)
    expected = model.generation if generation is None else generation
    content = await asyncio.to_thread(files.read, version.sha256)
    await asyncio.to_thread(Engine, content, Card.model_validate(version.card))
    async with database.write() as session:
        # The compare-and-set: the next generation begins, if this is still the current one.
        advance = update(Model).where(Model.id == model.id, Model.generation == expected)
        if not (await session.execute(advance.values(generation=expected + 1).returning(Model.id))).all():
            raise Overtaken(f"{name} is no longer at generation {expected}. Look again.")
        mine = Version.model_id == model.id
        replaced = await session.scalar(select(Version.number).where(mine, Version.stage == "primary"))
        if replaced == number:
            raise AlreadyPrimary(f"Version {number} of {name} is what is served.")
        change = update(Version).where(mine)
        await session.execute(change.where(Version.number == replaced).values(stage="retired"))
        await session.execute(change.where(Version.number == number).values(stage="primary"))
        promotion = Promotion(model_id=model.id, generation=expected + 1, number=number, replaced=replaced, by=by)
        session.add(promotion)
    return promotion


async def roll_back(
    database: Database, files: Files, *, name: str, by: str, generation: int | None = None
) -> Promotion:
    """Make the version primary that the last change replaced. Raises NothingBefore, and as `promote` does."""
    async with database.read() as session:
        last = select(Promotion).join(Model).where(Model.name == name).order_by(Promotion.generation.desc()).limit(1)
        promotion = await session.scalar(last)
    if promotion is None or promotion.replaced is None:
        raise NothingBefore(f"{name} has not had another primary version yet.")
    expected = promotion.generation if generation is None else generation  # or it would undo what nobody has seen
    return await promote(database, files, name=name, number=promotion.replaced, by=by, generation=expected)


async def find(database: Database, *, name: str, number: int) -> tuple[Model, Version]:
    """A version and its model. Raises ModelNotFound or VersionNotFound."""
    async with database.read() as session:
        model = await session.scalar(select(Model).where(Model.name == name))
        if model is None:
            raise ModelNotFound(f"There is no model {name}.")
        version = await session.scalar(select(Version).where(Version.model_id == model.id, Version.number == number))
    if version is None:
        raise VersionNotFound(f"{name} has no version {number}.")
    return model, version


async def primaries(database: Database, *, after: str | None = None, limit: int | None = None) -> Sequence[Row[Any]]:
    """Of each model, by name: `name`, `generation`, whether it is to be `served`, and the number of its `primary`."""
    primary = (Version.model_id == Model.id) & (Version.stage == "primary")
    query = select(Model.name, Model.generation, Model.served, Version.number.label("primary"))
    query = query.outerjoin(Version, primary).order_by(Model.name).limit(limit)
    async with database.read() as session:
        found = await session.execute(query.where(Model.name > after) if after is not None else query)
        return cast(Sequence[Row[Any]], found.all())


async def versions(
    database: Database, *, name: str, before: int | None = None, limit: int | None = None
) -> Sequence[Version]:
    """The versions of a model, the newest first. Raises ModelNotFound."""
    query = select(Version).join(Model).where(Model.name == name).order_by(Version.number.desc()).limit(limit)
    async with database.read() as session:
        if await session.scalar(select(Model.id).where(Model.name == name)) is None:
            raise ModelNotFound(f"There is no model {name[:64]}.")
        return (await session.scalars(query.where(Version.number < before) if before is not None else query)).all()
