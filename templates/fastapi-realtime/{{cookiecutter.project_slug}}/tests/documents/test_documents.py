"""Shared documents, by the protocol of y-websocket: pycrdt as a client here, the unmodified JavaScript one below."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pycrdt import Doc, Text, YMessageType, create_sync_message, create_update_message, handle_sync_message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from app.database import Database
from app.documents import services
from app.settings import Settings
from tests.conftest import Meet, Person, serving
from tests.live.test_following import room_id
from tests.rooms.test_rooms import make_room

PATIENCE = 10.0


class Pen:
    """A client that edits one text."""

    def __init__(self, socket: ClientConnection, doc: Doc[Any]) -> None:
        self.socket, self.doc = socket, doc
        self.text: Text = doc.get("content", type=Text)

    async def write(self, words: str) -> None:
        before = self.doc.get_state()
        self.text += words
        await self.socket.send(create_update_message(self.doc.get_update(before)))

    async def until(self, done: str) -> None:
        """Take what comes until the text is this."""
        async with asyncio.timeout(PATIENCE):
            while str(self.text) != done:
                await self.take()

    async def take(self) -> None:
        message = await self.socket.recv()
        assert isinstance(message, bytes)
        if message[0] == YMessageType.SYNC and (reply := handle_sync_message(message[1:], self.doc)):
            await self.socket.send(reply)


@asynccontextmanager
async def editing(address: str, person: Person, room: str, doc: Doc[Any] | None = None) -> AsyncIterator[Pen]:
    async with connect(
        f"{address.replace('http', 'ws')}/documents/{room}",
        additional_headers={"Cookie": person.cookie},
        origin=address,  # type: ignore[arg-type]
        proxy=None,
    ) as socket:
        pen = Pen(socket, doc or Doc())
        await socket.send(create_sync_message(pen.doc))
        yield pen


async def test_a_stranger_and_nobody_cannot_open_it(server: str, meet: Meet) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    room = room_id(await make_room(ada))
    for headers, status in (({}, 401), ({"Cookie": eve.cookie}, 404)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.replace('http', 'ws')}/documents/{room}", additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == status


async def test_two_who_edit_have_the_same(server: str, meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with editing(server, ada, room) as hers, editing(server, grace, room) as his:
        await hers.write("hello ")
        await his.until("hello ")
        await his.write("world")
        await hers.until("hello world")


async def test_what_was_written_offline_comes_together(server: str, meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with editing(server, ada, room) as hers, editing(server, grace, room) as his:
        await hers.write("both ")
        await his.until("both ")
    hers.text += "ada "
    his.text += "grace "
    async with editing(server, ada, room, hers.doc) as a, editing(server, grace, room, his.doc) as b:
        async with asyncio.timeout(PATIENCE):
            while not (str(a.text) == str(b.text) and "ada" in str(a.text) and "grace" in str(a.text)):
                done, _ = await asyncio.wait(
                    [asyncio.create_task(a.take()), asyncio.create_task(b.take())],
                    return_when=asyncio.FIRST_COMPLETED,
                    timeout=1,
                )
                if not done:
                    break
    assert str(a.text) == str(b.text)
    assert {"both", "ada", "grace"} == set(str(a.text).split())


async def test_two_processes_have_the_same(server: str, settings: Settings, meet: Meet) -> None:
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with (
        serving(settings) as elsewhere,
        editing(server, ada, room) as here,
        editing(elsewhere, ada, room) as there,
    ):
        await here.write("across ")
        await there.until("across ")
        await there.write("and back")
        await here.until("across and back")


async def test_updates_are_merged_and_nothing_is_lost(
    server: str, meet: Meet, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "COMPACT_EVERY", 5)
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with editing(server, ada, room) as pen, editing(server, ada, room) as other:
        for number in range(12):
            await pen.write(f"{number} ")
        await other.until("0 1 2 3 4 5 6 7 8 9 10 11 ")
    kept = await services.updates(database, room_id=uuid.UUID(room), after=0)
    assert [row.seq for row in kept] == [10, 11, 12]
    async with editing(server, ada, room) as late:
        await late.until("0 1 2 3 4 5 6 7 8 9 10 11 ")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"\xff\xff\xff",
        b"\x00\x02\x05garba",
        b"\x00\x00\x03abc",
        b"\x01\x05\x00\xff",
        b"\x00\x02",
        b"",
        b"\x01" + b"\xff" * 900_000,
        b"\x00\x00" + b"\xff" * 900_000,
        b"\x00\x02" + b"\xff" * 900_000,
    ],
)
async def test_garbage_closes_the_socket_and_harms_nobody(server: str, meet: Meet, data: bytes) -> None:
    """The long ones are numbers of a million digits, which would keep a careless decoder busy for minutes."""
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with editing(server, ada, room) as bad, editing(server, ada, room) as good:
        await bad.socket.send(data)
        await good.write("still here")
        if len(data) > 100:
            with pytest.raises(ConnectionClosedError):
                await bad.until("never")
            assert bad.socket.close_code == 1007
    async with editing(server, ada, room) as late:
        await late.until("still here")


async def test_text_closes_with_1003(server: str, meet: Meet) -> None:
    ada = await meet("ada")
    async with editing(server, ada, room_id(await make_room(ada))) as pen:
        await pen.socket.send("text")
        with pytest.raises(ConnectionClosedError) as closed:
            await pen.until("never")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1003


async def test_who_is_shown_out_edits_no_more(server: str, meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with editing(server, grace, room_id(path)) as pen:
        await ada.client.delete(f"{path}/members/{grace.id}")
        with pytest.raises(ConnectionClosedError) as closed:
            await pen.until("never")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4403
