"""Two processes on PostgreSQL with fsync on, and a broker; all die by kill -9, again and again, while clients write.

Run by `nox -s "proof(fastapi-realtime)"`, which sets PROJECT (the generated project) and uses its Python. What must
hold at the end: each client applied exactly 1..N, in order; everything acknowledged is there once; the documents are
the same.
"""

import asyncio
import json
import os
import random
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from pycrdt import Doc, Text, YMessageType, create_sync_message, create_update_message, handle_sync_message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

HERE = Path(__file__).parent
PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402
from tests.processes import Application  # noqa: E402

CLIENTS = 20
PROCESS_KILLS = int(os.environ.get("PROCESS_KILLS", "20"))
BROKER_KILLS = int(os.environ.get("BROKER_KILLS", "10"))
GONE = (OSError, WebSocketException, TimeoutError, EOFError)


type Server = Callable[[int], AbstractContextManager[str]]


class Site:
    """The processes, the broker between them, and what they need."""

    def __init__(self, broker: str, database_url: str) -> None:
        self.broker, self.port = broker, servers.free_port()
        self.settings = {
            "ENVIRONMENT": "test",
            "SECRET_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": database_url,
            "LOG_LEVEL": "ERROR",
            "BROKER": broker,
            f"{broker.upper()}_URL": f"{broker}://127.0.0.1:{self.port}",
        }
        seed = subprocess.run(
            [sys.executable, str(HERE / "seed.py"), "60"],
            env=os.environ | self.settings | {"PYTHONPATH": str(PROJECT)},
            cwd=PROJECT,
            check=True,
            capture_output=True,
            text=True,
        )
        seeded = json.loads(seed.stdout.splitlines()[-1])
        self.room, self.cookies = seeded["room"], seeded["cookies"]
        self.processes = [Application(self.settings), Application(self.settings)]
        self.kills = self.broker_kills = 0

    def address(self, path: str) -> str:
        """Of one of the processes, whichever."""
        return random.choice(self.processes).url.replace("http", "ws") + path

    @contextmanager
    def broker_runs(self) -> Iterator[None]:
        """The broker, at its port; the database's own needs nothing."""
        start: dict[str, Callable[[int], AbstractContextManager[str]]] = {
            "nats": servers.nats,
            "valkey": servers.valkey,
        }
        if self.broker in start:
            with start[self.broker](self.port):
                yield
        else:
            yield

    @asynccontextmanager
    async def line(self, number: int, path: str) -> AsyncIterator[ClientConnection]:
        """A connection of a client to one of the processes."""
        headers = {"Cookie": f"session={self.cookies[number]}"}
        async with connect(self.address(path), additional_headers=headers, proxy=None, open_timeout=5) as socket:
            yield socket


class Client:
    """Publishes, reads, and comes back from wherever it was thrown out. Fails on a gap."""

    def __init__(self, site: Site, number: int) -> None:
        self.site, self.number = site, number
        self.applied = 0
        self.bodies: list[str] = []
        self.waiting: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self.writes = True
        self.connects = 0

    async def live(self, *, until: int | None = None) -> None:
        """Through as many lines as it takes; until everything up to a number is applied."""
        while until is None or self.applied < until or self.waiting:
            with suppress(*GONE):
                async with self.site.line(self.number, "/ws") as socket:
                    self.connects += 1
                    await self._send(socket, type="subscribe", room=self.site.room, after=self.applied)
                    for client_id, body in self.waiting.items():
                        await self._publish(socket, client_id, body)
                    async with asyncio.timeout(random.uniform(1, 8)):
                        await self._talk(socket, until)
            await asyncio.sleep(random.uniform(0, 0.2))

    async def _talk(self, socket: ClientConnection, until: int | None) -> None:
        while until is None or self.applied < until or self.waiting:
            if self.writes and len(self.waiting) < 2:
                client_id = uuid.uuid4().hex
                self.waiting[client_id] = f"{self.number}: {client_id}"
                await self._publish(socket, client_id, self.waiting[client_id])
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2 + random.random() / 5):
                    self._take(json.loads(await socket.recv()))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event" and message["event"]["seq"] > self.applied:
            event = message["event"]
            assert event["seq"] == self.applied + 1, f"client {self.number}: {self.applied} → {event['seq']}"
            self.applied = event["seq"]
            self.bodies.append(event["body"])
        elif message["type"] == "ack":
            client_id = message["receipt"]["client_id"]
            if body := self.waiting.pop(client_id, None):
                self.acknowledged.add(body)
        elif message["type"] == "reset":
            raise AssertionError(f"client {self.number} was reset: {message}")

    async def _publish(self, socket: ClientConnection, client_id: str, body: str) -> None:
        await self._send(socket, type="publish", room=self.site.room, client_id=client_id, body=body)

    async def _send(self, socket: ClientConnection, **message: Any) -> None:  # noqa: ANN401
        await socket.send(json.dumps(message))


class Pen:
    """Edits the document through whatever process there is; what it wrote while alone is sent when it is back."""

    def __init__(self, site: Site, number: int) -> None:
        self.site, self.number = site, number
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get("content", type=Text)
        self.words = 0
        self.writes = True

    async def live(self) -> None:
        """For ever."""
        while True:
            with suppress(*GONE):
                async with self.site.line(self.number, f"/documents/{self.site.room}") as socket:
                    await socket.send(create_sync_message(self.doc))
                    async with asyncio.timeout(random.uniform(1, 6)):
                        while True:
                            await self._step(socket)
            await asyncio.sleep(random.uniform(0, 0.3))

    async def _step(self, socket: ClientConnection) -> None:
        if self.writes and random.random() < 0.3:
            before = self.doc.get_state()
            self.words += 1
            self.text += f"{self.number}.{self.words} "
            await socket.send(create_update_message(self.doc.get_update(before)))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                message = await socket.recv()
                assert isinstance(message, bytes)
                if message[0] == YMessageType.SYNC and (reply := handle_sync_message(message[1:], self.doc)):
                    await socket.send(reply)


async def kill_processes(site: Site) -> None:
    """One after the other dies, and comes back."""
    while site.kills < PROCESS_KILLS:
        await asyncio.sleep(random.uniform(0.5, 1.5))
        process = random.choice(site.processes)
        await asyncio.to_thread(process.kill)
        site.kills += 1
        await asyncio.sleep(random.uniform(0, 0.5))
        await asyncio.to_thread(process.start)


async def kill_brokers(site: Site, database_url: str) -> None:
    """The broker dies, or for the database's own its connections do, and comes back."""
    while site.broker_kills < BROKER_KILLS:
        if site.broker == "postgresql":
            await asyncio.sleep(2)
            with psycopg.connect(database_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        else:
            with ExitStack() as stack:
                await asyncio.to_thread(stack.enter_context, site.broker_runs())
                await asyncio.sleep(random.uniform(2, 4))
                for pid in pids_listening(site.port):
                    os.kill(pid, 9)
            await asyncio.sleep(random.uniform(0, 1.5))
        site.broker_kills += 1


def pids_listening(port: int) -> list[int]:
    """Who has this port among its arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"-server") and str(port).encode() in words:
                    found.append(int(entry.name))
    return found


async def prove(broker: str) -> None:
    """The whole, with one broker."""
    started = time.monotonic()
    with servers.postgresql(fsync=True) as database_url, ExitStack() as stack:
        site = Site(broker, database_url)
        for process in site.processes:
            stack.enter_context(process)
        clients = [Client(site, number) for number in range(CLIENTS)]
        pens = [Pen(site, CLIENTS + number) for number in range(4)]
        living = [asyncio.create_task(each.live()) for each in [*clients, *pens]]
        killing = asyncio.gather(kill_processes(site), kill_brokers(site, database_url))
        done, _ = await asyncio.wait([killing, *living], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task  # the living end by failing only
        for each in [*clients, *pens]:
            each.writes = False
        await asyncio.sleep(10)
        for task in living:
            task.cancel()
        await asyncio.wait(living)
        for task in living:
            if not task.cancelled() and (error := task.exception()):
                raise error
        with psycopg.connect(database_url) as connection:
            (total,) = connection.execute("SELECT max(seq) FROM events").fetchone() or (0,)
            (rows,) = connection.execute("SELECT count(*) FROM events").fetchone() or (0,)
        async with asyncio.timeout(60):
            await asyncio.gather(*(client.live(until=total) for client in clients))
        said = set().union(*(client.acknowledged for client in clients))
        for client in clients:
            assert client.applied == total == rows == len(client.bodies) == len(set(client.bodies))
            assert client.bodies == clients[0].bodies
            assert said <= set(client.bodies)
        texts = {str(pen.text) for pen in pens}
        words = next(iter(texts)).split()
        assert len(texts) == 1, "the documents differ"
        assert len(words) == len(set(words)) == sum(pen.words for pen in pens), "words of the document are missing"
        reads = await storm(site, database_url)
    connects = sum(client.connects for client in clients)
    print(
        f"{broker}: {site.kills} kills of processes, {site.broker_kills} of the broker; {CLIENTS} clients, {connects} "
        f"connects: each applied exactly 1..{total}; {len(words)} words in {len(pens)} documents, the same; "
        f"1,000 came back at once: {reads} reads of the log; {time.monotonic() - started:.0f} s",
        flush=True,
    )


async def storm(site: Site, database_url: str) -> int:
    """1,000 clients come back to a process that has just started. How often it read the log."""
    process = site.processes[0]
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    with psycopg.connect(database_url, autocommit=True) as connection:

        def scans() -> int:
            query = "SELECT idx_scan + seq_scan FROM pg_stat_user_tables WHERE relname = 'events'"
            return int((connection.execute(query).fetchone() or (0,))[0])

        (total,) = connection.execute("SELECT max(seq) FROM events").fetchone() or (0,)
        await asyncio.sleep(3)
        before = scans()

        async def come_back(number: int) -> None:
            headers = {"Cookie": f"session={site.cookies[number % 60]}"}
            url = process.url.replace("http", "ws") + "/ws"
            after = total - 1 - number % 100
            async with connect(url, additional_headers=headers, proxy=None, open_timeout=60) as socket:
                await socket.send(json.dumps({"type": "subscribe", "room": site.room, "after": after}))
                while after < total:
                    message = json.loads(await socket.recv())
                    if message["type"] == "event":
                        assert message["event"]["seq"] == after + 1
                        after += 1

        async with asyncio.timeout(120):
            await asyncio.gather(*(come_back(number) for number in range(1000)))
        await asyncio.sleep(12)  # PostgreSQL's counters come late
        return scans() - before


if __name__ == "__main__":
    for name in sys.argv[1:] or ["nats", "valkey", "postgresql"]:
        asyncio.run(prove(name))
