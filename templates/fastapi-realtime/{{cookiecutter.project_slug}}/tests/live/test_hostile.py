"""Clients that do what they should not: a documented answer each, and nobody else notices."""

import asyncio
import json
import logging
import uuid
from datetime import timedelta
from typing import ClassVar, cast

import pytest
from sqlalchemy import insert, update
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosedError

from app.accounts.services import Caller
from app.database import Database, now
from app.live import hub, reader, socket
from app.rooms.models import Event, Room
from app.settings import Settings
from tests.conftest import Meet, Person
from tests.live.fixtures import PATIENCE, Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"type": "shout"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "room": "x", "after": 0}',
        '{"type": "subscribe", "room": "00000000-0000-0000-0000-000000000000", "after": -1}',
        '{"type": "subscribe", "room": "00000000-0000-0000-0000-000000000000", "after": "0"}',
        '{"type": "ping", "v": 2}',
        '{"type": "ping", "extra": 1}',
        '{"type": "publish", "room": "00000000-0000-0000-0000-000000000000", "client_id": "x", "body": "\\ud800"}',
        "[" * 10_000,
    ],
)
async def test_garbage_is_answered_and_the_socket_lives_on(meet: Meet, online: Connect, text: str) -> None:
    async with online(await meet("ada")) as client:
        await client.socket.send(text)
        problem = (await client.next("error"))["problem"]
        assert (problem["type"], problem["status"]) == ("/problems/invalid", 422)
        await client.send(type="ping")
        await client.next("pong")


async def test_a_message_that_is_not_valid_is_named_in_the_answer(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with online(ada) as client:
        await client.send(type="publish", room=room, client_id="client-1", body="a\x00b")
        error = await client.next("error")
    assert (error["room"], error["client_id"]) == (room, "client-1")


async def test_what_is_not_valid_counts_as_a_request_too(meet: Meet, online: Connect) -> None:
    async with online(await meet("ada")) as client:
        for _ in range(socket.BURST + 50):
            await client.socket.send("garbage")
        kinds = [(await client.next("error"))["problem"]["type"] for _ in range(socket.BURST + 50)]
    assert kinds.count("/problems/too-fast") > 10


async def test_who_has_gone_follows_nothing(database: Database) -> None:
    """The answer of the database comes after the line broke: nobody may stay behind in the hub."""
    caller = Caller(uuid.uuid4(), "ada", uuid.uuid4(), "browser", now() + timedelta(hours=1))
    of_process = hub.Hub(database)
    seen: list[bool] = []
    of_process.watchers.append(lambda _reader, _room, follows: seen.append(follows))
    ghost = socket.Socket(caller, of_process)
    of_process.connect(ghost)
    of_process.disconnect(ghost)
    of_process.follow(ghost, uuid.uuid4(), 1)
    of_process.disconnect(ghost)
    assert not seen


async def test_what_a_subscription_brings_comes_after_its_answer(meet: Meet, settings: Settings) -> None:
    """Also where the answer must wait for room among those to somebody who fetches none for a while."""

    class Stuck:
        def __init__(self, *requests: dict[str, object]) -> None:
            self.requests = [json.dumps(request) for request in requests]
            self.sent: list[dict[str, object]] = []
            self.fetched = asyncio.Event()

        async def receive(self) -> dict[str, str]:
            if not self.requests:
                await asyncio.Event().wait()
            return {"type": "websocket.receive", "text": self.requests.pop(0)}

        async def send_text(self, text: str) -> None:
            await self.fetched.wait()
            self.sent.append(json.loads(text))

    ada = await meet("ada")
    room = room_id(await make_room(ada))
    database = Database(settings.async_database)
    of_process = hub.Hub(database)
    opened = socket.Socket(Caller(ada.id, "ada", uuid.uuid4(), "browser", now() + timedelta(hours=1)), of_process)
    of_process.connect(opened)
    pings = socket.MOST_REPLIES
    ping: dict[str, object] = {"type": "ping"}
    stuck = Stuck(*[ping] * pings, {"type": "subscribe", "room": room, "after": 0})
    serving = asyncio.create_task(opened.serve(cast(WebSocket, stuck)))
    async with asyncio.timeout(PATIENCE):
        while not opened.follows(uuid.UUID(room)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stuck.fetched.set()
        while len(stuck.sent) < pings + 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    serving.cancel()
    await asyncio.wait([serving])
    await database.close()
    assert [message["type"] for message in stuck.sent[-2:]] == ["subscribed", "event"]


async def test_who_is_told_to_go_before_it_begins_goes(database: Database) -> None:
    """Signed out, or the process ends, between the handshake and the first message."""

    class Quiet:
        closed: int | None = None

        async def receive(self) -> dict[str, str]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send_text(self, _text: str) -> None: ...

        async def close(self, code: int, _reason: str) -> None:
            self.closed = code

    quiet = Quiet()
    caller = Caller(uuid.uuid4(), "ada", uuid.uuid4(), "browser", now() + timedelta(hours=1))
    of_process = hub.Hub(database)
    opened = socket.Socket(caller, of_process)
    of_process.connect(opened)
    opened.close(hub.SIGNED_OUT, "Your session has ended.")
    serving = asyncio.create_task(opened.serve(cast(WebSocket, quiet)))
    await asyncio.sleep(0.1)
    assert quiet.closed == hub.SIGNED_OUT
    serving.cancel()


async def test_a_binary_frame_closes_with_1003(meet: Meet, online: Connect) -> None:
    async with online(await meet("ada")) as client:
        await client.socket.send(b"\x00\x01")
        assert await client.closed() == reader.UNSUPPORTED


async def test_an_oversize_frame_closes_with_1009(meet: Meet, online: Connect) -> None:
    async with online(await meet("ada")) as client:
        await client.socket.send("x" * 70_000)
        assert await client.closed() == 1009


async def test_bytes_that_are_no_text_close_with_1007(meet: Meet, online: Connect) -> None:
    async with online(await meet("ada")) as client:
        await client.socket.send(b"\xff\xfe", text=True)
        assert await client.closed() == 1007


async def test_a_slow_reader_is_closed_with_1013_and_others_are_not_delayed(
    meet: Meet, online: Connect, database: Database
) -> None:
    """The slow one takes nothing off its socket. What waits for it is in the ring that all share, and no more."""
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with online(ada, narrow=True) as slow, online(ada) as quick:
        for client in (slow, quick):
            await client.follow(room)
            await client.until(1)
        slow.socket.transport.pause_reading()
        for number in range(1, 11):
            await fill(database, room, ada, events=hub.PAGE)
            await quick.say(room, "wake up")
            await quick.until(1 + number * (hub.PAGE + 1))
        slow.socket.transport.resume_reading()
        with pytest.raises(ConnectionClosedError) as closed:
            await slow.until(quick.applied)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == reader.TRY_AGAIN
    async with online(ada) as back:
        await back.follow(room, after=slow.applied)
        await back.until(quick.applied)
    assert [*slow.bodies, *back.bodies] == quick.bodies


async def test_a_reader_that_stands_still_is_let_go(
    meet: Meet, online: Connect, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close frame does not reach it, so its task ends without."""
    monkeypatch.setattr(socket, "CLOSE_GRACE", timedelta(seconds=0.2))
    caplog.set_level(logging.INFO, "app.access")
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with online(ada, narrow=True) as still, online(ada) as quick:
        for client in (still, quick):
            await client.follow(room)
            await client.until(1)
        still.socket.transport.pause_reading()
        for _ in range(10):
            await fill(database, room, ada, events=hub.PAGE)
            await quick.say(room, "wake up")
        await quick.until(1 + 10 * (hub.PAGE + 1))
        async with asyncio.timeout(PATIENCE):
            while not [record for record in caplog.records if "WEBSOCKET" in record.getMessage()]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        still.socket.transport.abort()


async def fill(database: Database, room: str, person: Person, *, events: int) -> None:
    """Many long messages at once, by the rules of the log."""
    async with database.write() as session:
        place = uuid.UUID(room)
        grow = update(Room).where(Room.id == place).values(seq=Room.seq + events).returning(Room.seq)
        last = (await session.scalars(grow)).one()
        rows = [
            {
                "room_id": place,
                "seq": last - number,
                "kind": "message",
                "actor_id": person.id,
                "client_id": uuid.uuid4().hex,
                "body": f"{last - number} " + "x" * 3900,
            }
            for number in range(events)
        ]
        await session.execute(insert(Event), rows)


async def test_who_does_not_fetch_answers_is_not_asked_for_questions(database: Database) -> None:
    """The server stops reading, TCP stops the sender, and what waits stays a handful."""

    class StuckSocket:
        """Brings as many requests as one takes, and takes no answer."""

        asked = 0
        scope: ClassVar[dict[str, object]] = {}

        async def receive(self) -> dict[str, str]:
            self.asked += 1
            await asyncio.sleep(0)
            return {"type": "websocket.receive", "text": '{"type": "ping"}'}

        async def send_text(self, _text: str) -> None:
            await asyncio.Event().wait()

    stuck_socket = StuckSocket()
    caller = Caller(uuid.uuid4(), "ada", uuid.uuid4(), "browser", now() + timedelta(hours=1))
    stuck = socket.Socket(caller, hub.Hub(database))
    task = asyncio.create_task(stuck.serve(cast(WebSocket, stuck_socket)))
    await asyncio.sleep(0.2)
    task.cancel()
    assert socket.MOST_REPLIES <= stuck_socket.asked <= socket.MOST_REPLIES + 2


async def test_a_flood_of_requests_is_answered_and_holds_up_nobody(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with online(ada) as flooder, online(ada) as other:
        for _ in range(2000):
            await flooder.socket.send(json.dumps({"type": "ping"}))
        await other.follow(room)
        await other.say(room, "still here")
        pongs = 0
        for _ in range(2000):
            message = json.loads(await flooder.socket.recv())
            pongs += message["type"] == "pong"
            assert message["type"] == "pong" or message["problem"]["type"] == "/problems/too-fast"
        assert socket.BURST <= pongs < socket.BURST + 10 * socket.RATE


async def test_a_client_that_vanishes_is_forgotten(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as client:
        await client.follow(room_id(path))
        client.socket.transport.abort()
    for number in range(3):
        assert (await say(ada, path, f"{number}")).status_code == 201
