"""The stream: the same log as the socket, by server-sent events."""

import asyncio
import gc
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from app.database import Database
from app.live import reader
from app.rooms import log
from app.rooms.models import Event
from tests.conftest import Meet, Person
from tests.live.fixtures import Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room

PATIENCE = 10.0
SLOW_ON_SQLITE = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 500000) SELECT count(*) FROM c"


class Listener:
    """What a browser's EventSource does: remembers the last id, hands on the messages."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""
        self.retry = 0

    async def next(self, kind: str) -> dict[str, Any]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                    continue
                self.last_id = fields.get("id", self.last_id)
                self.retry = int(fields.get("retry", self.retry))
                message: dict[str, Any] = json.loads(fields.get("data", "{}"))
                fields = {}
                if message.get("type") == kind:
                    return message
        raise EOFError

    async def bodies(self, number: int) -> list[str]:
        return [(await self.next("event"))["event"].get("body") for _ in range(number)]


@asynccontextmanager
async def listening(person: Person, *rooms: str, last_id: str = "") -> AsyncIterator[Listener]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with person.client.stream("GET", "/events", params={"room": rooms}, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        listener = Listener(answer.aiter_lines())
        hello = await listener.next("hello")
        assert hello["you"]["name"] == person.name
        yield listener


async def test_nobody_gets_no_stream(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/events")).status_code == 401


@pytest.mark.parametrize("position", ["x", "1.2", "00000000-0000-0000-0000-000000000000", "{room}.-1", "{room}.1.x"])
async def test_a_position_that_is_none_is_refused(meet: Meet, position: str) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    answer = await ada.client.get("/events", params={"room": position.format(room=room)})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


async def test_a_stranger_is_told_that_there_is_no_such_room(meet: Meet) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    room = room_id(await make_room(ada))
    async with listening(eve, f"{room}.0") as stream:
        assert (await stream.next("error"))["problem"]["type"] == "/problems/room-not-found"


async def test_the_stream_and_the_socket_give_the_same_log(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    for number in range(3):
        await say(ada, path, f"{number}")
    async with online(ada) as client, listening(ada, f"{room_id(path)}.0") as stream:
        await client.follow(room_id(path))
        await stream.next("subscribed")
        await say(ada, path, "live")
        await client.until(5)
        events = [await stream.next("event") for _ in range(5)]
    assert [event["event"]["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["event"]["body"] for event in events[1:]] == client.bodies


async def test_last_event_id_goes_on_where_the_line_broke(meet: Meet) -> None:
    ada = await meet("ada")
    one, two = await make_room(ada), await make_room(ada)
    address = (f"{room_id(one)}.1", f"{room_id(two)}.1")
    async with listening(ada, *address) as stream:
        await say(ada, one, "a")
        await say(ada, one, "b")
        assert await stream.bodies(2) == ["a", "b"]
    assert stream.last_id == f"{room_id(one)}.3"
    await say(ada, one, "c")
    await say(ada, two, "d")
    async with listening(ada, *address, last_id=stream.last_id) as stream:
        assert sorted(await stream.bodies(2)) == ["c", "d"]


async def test_another_epoch_is_a_reset(meet: Meet) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with listening(ada, f"{room}.1.00000000-0000-0000-0000-000000000000") as stream:
        assert (await stream.next("reset"))["seq"] == 1


async def test_signing_out_ends_the_stream(meet: Meet) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with listening(ada, f"{room}.0") as stream:
        await ada.client.delete("/api/v1/session")
        with pytest.raises(EOFError):
            await stream.next("never")
    assert stream.retry
    assert (await ada.client.get("/events")).status_code == 401


async def test_who_was_shown_out_hears_no_more(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with listening(grace, f"{room_id(path)}.2") as stream:
        await ada.client.delete(f"{path}/members/{grace.id}")
        await say(ada, path, "about grace")
        assert (await stream.next("event"))["event"]["kind"] == "left"
        assert (await stream.next("ended"))["room"] == room_id(path)


async def test_streams_leave_no_database_connection_behind(
    meet: Meet, on_postgresql: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that vanishes cancels the stream wherever it is, and here so that it is amid a question to the log."""
    ada = await meet("ada")
    path = await make_room(ada)
    read, asked = log.after, 0
    slow = "SELECT pg_sleep(0.1)" if on_postgresql else SLOW_ON_SQLITE

    async def slowly(database: Database, *, room_id: uuid.UUID, seq: int, limit: int) -> Sequence[Event]:
        nonlocal asked
        asked += 1
        async with database.read() as session:
            await session.execute(text(slow))
        return await read(database, room_id=room_id, seq=seq, limit=limit)

    monkeypatch.setattr(log, "after", slowly)
    for number in range(15):
        before = asked
        async with listening(ada, f"{room_id(path)}.0"):
            while asked == before:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert (await say(ada, path, f"still answered {number}")).status_code == 201
    gc.collect()  # a connection that was leaked says so now, and a warning is an error


async def test_too_many_connections_of_one_person_are_refused(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.live.hub.MOST_CONNECTIONS", 1)
    ada, grace = await meet("ada"), await meet("grace")
    async with listening(ada):
        answer = await ada.client.get("/events")
        assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-connections")
        async with listening(grace):
            pass
    async with asyncio.timeout(PATIENCE):
        while (await ada.client.get("/events", params={"room": ["x"] * (reader.MOST_ROOMS + 1)})).status_code == 429:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
