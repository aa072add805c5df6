"""Following a room: everything once, in order, and nothing that is not for me."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import delete, update

from app.database import Database
from app.live import hub, reader, socket
from app.rooms import log
from app.rooms.models import Event, Room
from app.settings import Settings
from tests.conftest import PASSWORD, Meet, serving
from tests.live.fixtures import Client, Connect
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room


def room_id(path: str) -> str:
    return path.rpartition("/")[2]


async def test_what_is_said_reaches_everybody_in_the_room(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with online(ada) as hers, online(grace) as his:
        await hers.follow(room, after=2)
        await his.follow(room, after=2)
        assert await hers.say(room, "hello") == 3
        await his.until(3)
        await hers.until(3)
    assert hers.bodies == his.bodies == ["hello"]


async def test_what_is_said_over_http_reaches_sockets(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as client:
        await client.follow(room_id(path))
        await say(ada, path, "hello")
        await client.until(2)


async def test_the_ack_comes_after_the_commit(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as client:
        seq = await client.say(room_id(path), "hello")
        assert (await ada.client.get(f"{path}/messages")).json()["items"][0]["seq"] == seq


async def test_who_was_away_gets_what_was_missed_and_then_what_is_live(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with online(grace) as client:
        await client.follow(room_id(path))
        await client.until(2)
    for number in range(5):
        await say(ada, path, f"missed {number}")
    async with online(grace) as client:
        subscribed = await client.follow(room_id(path), after=2)
        assert subscribed["seq"] == 7
        await client.until(7)
        await say(ada, path, "live")
        await client.until(8)
    assert client.bodies == [*(f"missed {number}" for number in range(5)), "live"]


async def test_far_behind_is_read_from_the_log_and_near_from_the_ring(
    meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RING", 4)
    monkeypatch.setattr(hub, "PAGE", 3)
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as first:
        await first.follow(room_id(path))
        for number in range(20):
            await first.say(room_id(path), f"{number}")
        await first.until(21)
        async with online(ada) as far, online(ada) as near:
            await far.follow(room_id(path), after=0)
            await near.follow(room_id(path), after=19)
            await far.until(21)
            await near.until(21)
            await first.say(room_id(path), "for all")
            for client in (first, far, near):
                await client.until(22)
    assert far.bodies == first.bodies
    assert near.bodies == ["18", "19", "for all"]


async def test_every_subscriber_applies_all_once_while_twenty_write(
    meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random subscribing, leaving and coming back while others write; the client fails on a gap."""
    monkeypatch.setattr(hub, "MOST_CONNECTIONS", 50)
    ada = await meet("ada")
    path = await make_room(ada)
    room, dice, total = room_id(path), random.Random(7), 121  # noqa: S311

    async def write(number: int) -> None:
        async with online(ada) as client:
            for turn in range(6):
                await client.say(room, f"{number}.{turn}")
                await asyncio.sleep(dice.random() / 50)

    async def read() -> Client:
        applied, bodies = 0, list[str]()
        while True:
            async with online(ada) as client:
                await client.follow(room, after=applied)
                client.bodies = bodies
                stop = min(total, applied + dice.randint(1, 40))
                await client.until(stop)
                applied, bodies = client.applied, client.bodies
                client.socket.transport.abort()  # as a line breaks, with half of it still under way
                if applied == total:
                    return client

    readers = [asyncio.create_task(read()) for _ in range(5)]
    await asyncio.gather(*(write(number) for number in range(20)))
    clients = await asyncio.gather(*readers)
    assert all(client.applied == total for client in clients)
    assert all(len(set(client.bodies)) == len(client.bodies) == total - 1 for client in clients)
    assert len({tuple(client.bodies) for client in clients}) == 1, "everybody has the same order"


async def test_who_is_not_in_the_room_cannot_follow_it(meet: Meet, online: Connect) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    room = room_id(await make_room(ada))
    async with online(eve) as client:
        for wanted in (room, str(uuid.uuid4())):
            await client.send(type="subscribe", room=wanted, after=0)
            error = await client.next("error")
            assert (error["room"], error["problem"]["type"]) == (wanted, "/problems/room-not-found")
        await client.send(type="publish", room=room, client_id="client-1", body="let me in")
        assert (await client.next("error"))["client_id"] == "client-1"


async def test_who_is_shown_out_gets_nothing_that_follows(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with online(grace) as client:
        await client.follow(room_id(path))
        await ada.client.delete(f"{path}/members/{grace.id}")
        await say(ada, path, "about grace")
        assert (await client.next("ended"))["room"] == room_id(path)
        await client.send(type="ping")
        await client.next("pong")
    assert client.applied == 3, "up to the event that says so"
    assert client.bodies == []


async def test_who_was_shown_out_and_let_in_again_reads_on(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    await ada.client.delete(f"{path}/members/{grace.id}")
    await ada.client.post(f"{path}/members", json={"name": "grace"})
    await say(ada, path, "welcome back")
    async with online(grace) as client:
        await client.follow(room_id(path))
        await client.until(5)
    assert client.bodies == ["welcome back"]


async def test_unsubscribed_is_silent(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as client:
        await client.follow(room_id(path))
        await client.until(1)
        await client.send(type="unsubscribe", room=room_id(path))
        await client.send(type="ping")
        await client.next("pong")
        await say(ada, path, "into the void")
        await client.send(type="ping")
        await client.next("pong")
    assert client.applied == 1


async def test_signing_out_closes_the_sockets_at_once(
    meet: Meet, online: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "POLL", timedelta(hours=1))
    ada = await meet("ada")
    async with serving(settings) as here, online(ada, at=here) as client:
        ada.client.base_url = here
        await ada.client.delete("/api/v1/session")
        assert await client.closed() == hub.SIGNED_OUT


async def test_signing_out_closes_the_sockets_of_that_session_only(meet: Meet, online: Connect, server: str) -> None:
    ada = await meet("ada")
    async with online(ada) as client, httpx2.AsyncClient(base_url=server) as elsewhere:
        await elsewhere.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
        await elsewhere.delete("/api/v1/session")
        await client.send(type="ping")
        await client.next("pong")
        await ada.client.delete("/api/v1/session")
        assert await client.closed() == hub.SIGNED_OUT


async def test_news_and_endings_from_another_process_come_within_the_poll(
    meet: Meet, online: Connect, settings: Settings
) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with serving(settings) as elsewhere, online(ada) as client:
        await client.follow(room_id(path))
        ada.client.base_url = elsewhere
        await say(ada, path, "from elsewhere")
        await client.until(2)
        assert client.bodies == ["from elsewhere"]
        await ada.client.delete("/api/v1/session")
        assert await client.closed() == hub.SIGNED_OUT


async def test_the_poll_has_its_time_however_much_is_said(
    meet: Meet, online: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "POLL", timedelta(seconds=0.2))
    polls = 0

    async def count(*_: object) -> list[uuid.UUID]:
        nonlocal polls
        polls += 1
        return []

    monkeypatch.setattr(hub, "ended_since", count)
    monkeypatch.setattr(socket, "BURST", 1_000_000)
    ada = await meet("ada")
    room = room_id(await make_room(ada))

    async def flood(client: Client) -> None:
        while True:
            await client.say(room, "and on")

    async with serving(settings) as here, online(ada, at=here) as reader:
        await reader.follow(room)
        async with AsyncExitStack() as stack:
            writers = [await stack.enter_async_context(online(ada, at=here)) for _ in range(4)]
            tasks = [asyncio.create_task(flood(client)) for client in writers]
            before = polls
            await asyncio.sleep(1.5)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        reader.socket.transport.abort()  # a client that has not read all waits ten seconds for the close
    assert polls - before >= 3


async def test_who_comes_brings_the_news_of_other_processes_for_all(
    meet: Meet, online: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever subscribes reads how far the log is; those who were there before need not wait for the poll."""
    monkeypatch.setattr(hub, "POLL", timedelta(hours=1))
    ada = await meet("ada")
    path = await make_room(ada)
    async with serving(settings) as here, online(ada, at=here) as first:
        await first.follow(room_id(path))
        await first.until(1)
        await say(ada, path, "said elsewhere")
        async with online(ada, at=here) as second:
            await second.follow(room_id(path))
            await second.until(2)
            await first.until(2)


async def test_a_retried_message_is_said_once(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with online(ada) as client:
        await client.follow(room)
        assert [await client.say(room, "once", "the-same-id") for _ in range(3)] == [2, 2, 2]
        assert await client.say(room, "next") == 3
        await client.until(3)
    assert client.bodies == ["once", "next"]


async def test_too_many_rooms_are_refused(meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_ROOMS", 2)
    ada = await meet("ada")
    rooms = [room_id(await make_room(ada)) for _ in range(3)]
    async with online(ada) as client:
        await client.follow(rooms[0])
        await client.follow(rooms[1])
        await client.follow(rooms[1])
        await client.send(type="subscribe", room=rooms[2], after=0)
        assert (await client.next("error"))["problem"]["type"] == "/problems/too-many-rooms"


async def test_a_thousand_who_come_back_at_once_read_the_log_once(
    meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart the ring is empty, and all who were connected come back from about the same place."""
    ada = await meet("ada")
    path = await make_room(ada)
    for number in range(8):
        await say(ada, path, f"{number}")
    questions, there, all_are_there, read = 0, 0, asyncio.Event(), log.after

    async def count(database: Database, *, room_id: uuid.UUID, seq: int, limit: int) -> Sequence[Event]:
        nonlocal questions
        questions += 1
        await all_are_there.wait()
        return await read(database, room_id=room_id, seq=seq, limit=limit)

    monkeypatch.setattr(log, "after", count)

    async def come_back(after: int) -> None:
        nonlocal there
        async with online(ada) as client:
            await client.follow(room_id(path), after=after)
            there += 1
            if there == 18:
                all_are_there.set()
            await client.until(9)

    await asyncio.gather(*(come_back(number % 6) for number in range(18)))
    assert questions == 1


async def test_who_knows_another_log_than_this_one_is_told_to_begin_afresh(
    meet: Meet, online: Connect, database: Database
) -> None:
    """Its past was deleted; a backup was restored, so that it is another one, or ends before what was applied."""
    ada = await meet("ada")
    path = await make_room(ada)
    for number in range(4):
        await say(ada, path, f"{number}")
    room = room_id(path)
    async with online(ada) as client:
        epoch = (await client.follow(room))["epoch"]
        async with database.write() as session:
            await session.execute(update(Room).values(pruned=3))
            await session.execute(delete(Event).where(Event.seq <= 3))
        for after, answer in ((2, "reset"), (3, "subscribed"), (5, "subscribed"), (6, "reset")):
            await client.send(type="subscribe", room=room, after=after, epoch=epoch)
            assert (await client.next(answer))["seq"] == 5
        async with database.write() as session:
            await session.execute(update(Room).values(epoch=uuid.uuid4()))
        await client.send(type="subscribe", room=room, after=5, epoch=epoch)
        reset = await client.next("reset")
        assert (reset["after"], reset["seq"]) == (3, 5)
        assert reset["epoch"] != epoch
