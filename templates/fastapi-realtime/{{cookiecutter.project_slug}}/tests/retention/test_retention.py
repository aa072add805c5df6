"""Retention and restored backups: who has something that the log does not have, or no longer, is told so."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.database import Database, now
from app.live import hub
from app.retention import services
from app.rooms import log
from app.rooms.models import Event
from tests.conftest import Meet, Person
from tests.live.fixtures import Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room
from tests.test_commands import run


async def talk(person: Person, path: str, number: int) -> None:
    for each in range(number):
        await say(person, path, f"{each}")


async def age(database: Database, path: str, seq: int) -> None:
    """Make everything up to a number ten days old."""
    async with database.write() as session:
        mine = (Event.room_id == uuid.UUID(room_id(path)), Event.seq <= seq)
        await session.execute(update(Event).where(*mine).values(created_at=now() - timedelta(days=10)))


async def prune(database: Database) -> int:
    return await services.prune(database, before=now() - timedelta(days=7))


async def test_what_is_old_goes_and_the_rest_keeps_its_numbers(meet: Meet, database: Database) -> None:
    ada = await meet("ada")
    path, other = await make_room(ada), await make_room(ada)
    await talk(ada, path, 5)
    await age(database, path, 4)
    assert [await prune(database) for _ in range(2)] == [4, 0]
    items = (await ada.client.get(f"{path}/messages")).json()["items"]
    assert [item["seq"] for item in items] == [6, 5]
    assert (await say(ada, path, "next")).json()["seq"] == 7
    assert len((await ada.client.get(f"{other}/messages")).json()["items"]) == 1


async def test_nothing_goes_from_the_middle(meet: Meet, database: Database) -> None:
    """A clock that was set back made the third event older than those before it."""
    ada = await meet("ada")
    path = await make_room(ada)
    await talk(ada, path, 4)
    async with database.write() as session:
        await session.execute(update(Event).where(Event.seq == 3).values(created_at=now() - timedelta(days=10)))
    assert await prune(database) == 3
    items = (await ada.client.get(f"{path}/messages")).json()["items"]
    assert [item["seq"] for item in items] == [5, 4]


async def test_who_comes_from_before_is_reset_and_who_has_it_goes_on(
    meet: Meet, online: Connect, database: Database
) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    await talk(ada, path, 5)
    await age(database, path, 4)
    await prune(database)
    async with online(ada) as client:
        await client.send(type="subscribe", room=room_id(path), after=3)
        reset = await client.next("reset")
        assert (reset["after"], reset["seq"]) == (4, 6)
        subscribed = await client.follow(room_id(path), after=4)
        assert subscribed["epoch"] == reset["epoch"]
        await client.until(6)


async def test_a_restored_backup_resets_everybody(meet: Meet, online: Connect, database: Database) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    await talk(ada, path, 3)
    async with online(ada) as client:
        before = (await client.follow(room_id(path)))["epoch"]
        await client.send(type="subscribe", room=room_id(path), after=4, epoch=before)
        await client.next("subscribed")
        await client.send(type="subscribe", room=room_id(path), after=99, epoch=before)
        assert (await client.next("reset"))["epoch"] == before, "ahead of the log: it cannot be the same"
        await services.begin_new_epoch(database)
        await client.send(type="subscribe", room=room_id(path), after=4, epoch=before)
        assert (await client.next("reset"))["epoch"] != before


async def test_pruned_while_somebody_is_on_the_way_from_far_back(
    meet: Meet, online: Connect, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RING", 2)
    monkeypatch.setattr(hub, "PAGE", 2)
    read = log.after

    async def pruned_amid(_: Database, *, room_id: uuid.UUID, seq: int, limit: int) -> Sequence[Event]:
        if seq == 2:
            await prune(database)
        return await read(database, room_id=room_id, seq=seq, limit=limit)

    ada = await meet("ada")
    path = await make_room(ada)
    await talk(ada, path, 11)
    await age(database, path, 6)
    monkeypatch.setattr(log, "after", pruned_amid)
    async with online(ada) as client:
        await client.follow(room_id(path))
        reset = await client.next("reset")
        assert (client.applied, reset["after"], reset["seq"]) == (2, 6, 12), "up to where it was whole"


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    assert "0 events" in run("prune", "30", cwd=tmp_path).stdout
    assert run("restored", cwd=tmp_path).exit_code == 0
