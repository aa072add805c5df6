"""A client of the socket, as strict as a good one should be: it applies an event only when it is the next one."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.conftest import Person

PATIENCE = 10.0  # seconds; a test fails rather than hang


class Client:
    """One socket. `applied` and `bodies` are what a page would know of a room."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.applied = 0
        self.bodies: list[str] = []

    async def send(self, **message: Any) -> None:  # noqa: ANN401
        await self.socket.send(json.dumps(message))

    async def next(self, kind: str, *, within: float = PATIENCE) -> dict[str, Any]:
        """The next message of this type; events on the way are applied."""
        async with asyncio.timeout(within):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["type"] == "event":
                    self.apply(message["event"])
                if message["type"] == kind:
                    return message

    def apply(self, event: dict[str, Any]) -> None:
        if event["seq"] <= self.applied:
            return
        assert event["seq"] == self.applied + 1, f"a gap: {self.applied} → {event['seq']}"
        self.applied = event["seq"]
        if event["kind"] == "message":
            self.bodies.append(event["body"])

    async def follow(self, room: str, after: int = 0) -> dict[str, Any]:
        self.applied = after
        await self.send(type="subscribe", room=room, after=after)
        return await self.next("subscribed")

    async def until(self, seq: int) -> None:
        """Apply events up to this number."""
        while self.applied < seq:
            await self.next("event")

    async def say(self, room: str, body: str, client_id: str | None = None) -> int:
        """Say something; its number, once it is committed."""
        await self.send(type="publish", room=room, client_id=client_id or uuid.uuid4().hex, body=body)
        return int((await self.next("ack"))["receipt"]["seq"])

    async def closed(self) -> int | None:
        """How the server closed the socket."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return self.socket.close_code


class Connect(Protocol):
    """`narrow` makes the kernel keep little for a client that does not read; `at` is another server's address."""

    def __call__(
        self, person: Person, *, narrow: bool = False, at: str | None = None
    ) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture
def online(server: str) -> Connect:
    """Opens a socket as a person's browser does: `async with online(ada) as client`."""

    @asynccontextmanager
    async def open_socket(person: Person, *, narrow: bool = False, at: str | None = None) -> AsyncIterator[Client]:
        address = at or server
        plain = socket.socket(proto=socket.IPPROTO_TCP)
        if narrow:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect((urlsplit(address).hostname, urlsplit(address).port))
        async with connect(
            address.replace("http", "ws") + "/ws",
            sock=plain,
            additional_headers={"Cookie": person.cookie},
            origin=address,  # type: ignore[arg-type]
            proxy=None,
        ) as opened:
            client = Client(opened)
            hello = await client.next("hello")
            assert hello["you"]["name"] == person.name
            yield client

    return open_socket
