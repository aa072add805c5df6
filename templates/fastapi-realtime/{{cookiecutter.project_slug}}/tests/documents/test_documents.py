"""Shared documents, by the protocol of y-websocket: pycrdt as a client here, the unmodified JavaScript one below."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pycrdt import Doc, Text, YMessageType, create_sync_message, create_update_message, handle_sync_message
from sqlalchemy import delete
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from app.database import Database
from app.documents import editor, services
from app.rooms.models import Member
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
async def editing(
    address: str, person: Person, room: str, doc: Doc[Any] | None = None, *, narrow: bool = False
) -> AsyncIterator[Pen]:
    plain = socket.socket(proto=socket.IPPROTO_TCP)
    if narrow:  # the kernel keeps little for a client that does not read
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect((urlsplit(address).hostname, urlsplit(address).port))
    async with connect(
        f"{address.replace('http', 'ws')}/documents/{room}",
        additional_headers={"Cookie": person.cookie},
        origin=address,  # type: ignore[arg-type]
        proxy=None,
        sock=plain,
        max_size=None,
    ) as opened:
        pen = Pen(opened, doc or Doc())
        await opened.send(create_sync_message(pen.doc))
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


async def closed(pen: Pen) -> int | None:
    """How the server closed the socket."""
    with pytest.raises(ConnectionClosedError):
        await pen.until("never")
    return pen.socket.close_code


async def test_a_document_has_a_longest_length(server: str, meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LONGEST_DOCUMENT", 200)
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    async with editing(server, ada, room) as pen:
        await pen.write("a" * 100)
        await pen.write("b" * 100)
        assert await closed(pen) == 1009
    async with editing(server, ada, room) as late:
        await late.until("a" * 100)


async def test_who_reads_too_slowly_comes_back_and_gets_the_whole(
    server: str, meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editor, "MOST_BYTES", 10_000)
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    parts = [f"{number:04}" * 10_000 for number in range(100)]
    async with editing(server, ada, room, narrow=True) as slow, editing(server, ada, room) as fast:
        slow.socket.transport.pause_reading()
        for part in parts:
            await fast.write(part)
        async with editing(server, ada, room) as other:
            await other.until("".join(parts))
        slow.socket.transport.resume_reading()
        assert await closed(slow) == 1013
    async with editing(server, ada, room, slow.doc) as back:
        await back.until("".join(parts))


def says(*said: tuple[int, str]) -> bytes:
    """A message of the awareness (y-protocols/awareness.js): clients, and what each says of itself, all below 128."""
    update = bytes([len(said)]) + b"".join(bytes([client, 1, len(state)]) + state.encode() for client, state in said)
    return bytes([YMessageType.AWARENESS, len(update)]) + update


async def awareness(pen: Pen) -> bytes:
    """The next message of the awareness."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await pen.socket.recv()
            assert isinstance(message, bytes)
            if message[0] == YMessageType.AWARENESS:
                return message


async def test_whoever_goes_takes_only_their_own_cursor_along(server: str, meet: Meet) -> None:
    """Clients echo what they hear of others; it does not become theirs."""
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with editing(server, ada, room) as hers, editing(server, ada, room) as watching:
        async with editing(server, grace, room) as his:
            await hers.socket.send(says((1, '{"a":1}')))
            assert await awareness(his) == says((1, '{"a":1}'))
            await his.socket.send(says((1, '{"a":1}')))
            await his.socket.send(both := says((1, '{"a":1}'), (2, '{"g":1}')))
            assert [await awareness(watching) for _ in range(2)] == [says((1, '{"a":1}')), both]
        gone = await awareness(watching)
        assert gone[2:4] == bytes([1, 2]), "one client, the second"
        assert b"null" in gone


async def test_one_editor_has_a_handful_of_cursors(server: str, meet: Meet) -> None:
    ada = await meet("ada")
    async with editing(server, ada, room_id(await make_room(ada))) as pen:
        for client in range(editor.MOST_CURSORS + 1):
            await pen.socket.send(says((client, "{}")))
        assert await closed(pen) == 1013


async def test_who_is_no_member_any_more_writes_nothing(server: str, meet: Meet, database: Database) -> None:
    """In the moment before the news that shows them out has come to their socket."""
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with editing(server, grace, room) as pen:
        async with database.write() as session:
            await session.execute(delete(Member).where(Member.user_id == grace.id))
        await pen.write("one more word")
        assert await closed(pen) == 4403
    assert await services.updates(database, room_id=uuid.UUID(room), after=0) == []
