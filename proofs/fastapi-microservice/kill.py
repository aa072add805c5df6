"""Servers, relays, consumers and the broker die by kill -9, again and again, while clients work; with fsync on.

Run by `nox -s "proof(fastapi-microservice)"`, which sets PROJECT (the generated project) and uses its Python. What must
hold at the end: stock adds up, and nobody got what was not there; whatever was acknowledged is there; the stream has
each event of the outbox once and in the order of its product; each order was issued once, also after all were replayed
past the window in which the broker knows them.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import nats
import psycopg
from nats.js.api import StreamConfig

PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from app.auth.issuer import issue  # noqa: E402
from app.settings import Settings  # noqa: E402
from tests import servers  # noqa: E402
from tests.processes import Application, clean_environment  # noqa: E402

servers.STARTS_WITHIN = 180.0  # seconds: a machine on which all of this runs at once is a busy one
CLIENTS, PRODUCTS, EACH = 8, 6, 300
SERVER_KILLS = int(os.environ.get("SERVER_KILLS", "20"))
RELAY_KILLS = int(os.environ.get("RELAY_KILLS", "20"))
CONSUMER_KILLS = int(os.environ.get("CONSUMER_KILLS", "10"))
BROKER_KILLS = int(os.environ.get("BROKER_KILLS", "6"))
ORDERS = 400
WINDOW = 2.0  # seconds in which the broker knows what it has: two minutes usually
GONE = (httpx2.TransportError, OSError, TimeoutError, nats.errors.Error, nats.js.errors.Error)


class Worker:
    """`python -m app relay` or `consume`, which can die and come back."""

    def __init__(self, command: str, settings: dict[str, str]) -> None:
        self.command, self.settings = command, settings
        self.start()

    def start(self) -> None:
        environment = clean_environment() | {"PYTHONPATH": str(PROJECT)} | self.settings
        self.process = subprocess.Popen([sys.executable, "-m", "app", self.command], cwd=PROJECT, env=environment)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Broker:
    """nats-server with streams on a disk, which can die and come back with them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, servers.free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        self.start()

    def start(self) -> None:
        command = [str(self.program), "--addr", "127.0.0.1", "--port", str(self.port)]
        command += ["--jetstream", "--store_dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        servers.wait_until(lambda: servers.listening(self.port), self.process)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client:
    """Puts aside, confirms and cancels; tries again with the same key until it is answered, by whichever server."""

    def __init__(self, processes: list[Application], token: str, number: int) -> None:
        self.processes, self.number = processes, number
        self.headers = {"Authorization": f"Bearer {token}"}
        self.ends: dict[int, tuple[str, int, int]] = {}  # reservation: how it ended, product, quantity
        self.writes, self.asked, self.again = True, 0, 0

    async def send(self, client: httpx2.AsyncClient, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """Until there is an answer that is one."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        while True:
            self.asked += 1
            with suppress(*GONE):
                url = random.choice(self.processes).url + path
                answer = await client.post(url, json=body, headers=key)
                if answer.status_code < 500 and "in-progress" not in answer.text:
                    return answer
            self.again += 1
            await asyncio.sleep(random.uniform(0.05, 0.2))

    async def live(self) -> None:
        """Until told to stop."""
        async with httpx2.AsyncClient(headers=self.headers, timeout=15) as client:
            while self.writes:
                product, quantity = random.randint(1, PRODUCTS), random.randint(1, 3)
                held = await self.send(client, "/api/v1/reservations", {"product_id": product, "quantity": quantity})
                assert held.status_code in (201, 409), held.text
                await asyncio.sleep(random.uniform(0.05, 0.2))
                if held.status_code == 409:
                    assert held.json()["type"] == "/problems/not-enough-stock", held.text
                    continue
                number = held.json()["id"]
                self.ends[number] = "held", product, quantity
                if (how := random.choice(["confirm", "cancel", "cancel", ""])) and self.writes:
                    ended = await self.send(client, f"/api/v1/reservations/{number}/{how}")
                    assert ended.status_code == 200, ended.text
                    self.ends[number] = ended.json()["state"], product, quantity


async def killing(what: list[Any], times: int, least: float, most: float) -> int:
    """One after the other dies, and comes back."""
    for _ in range(times):
        await asyncio.sleep(random.uniform(least, most))
        one = random.choice(what)
        await asyncio.to_thread(one.kill)
        await asyncio.sleep(random.uniform(0, 0.5))
        await asyncio.to_thread(one.start)
    return times


async def order(broker: Broker, numbers: range) -> None:
    """Publish orders, each as often as it takes."""
    for number in numbers:
        data = {"order": str(number), "product_id": 1 + number % PRODUCTS, "quantity": 1}
        event = {"specversion": "1.0", "id": str(number), "source": "/orders", "type": "order.placed", "data": data}
        while True:
            with suppress(*GONE):
                client = await asyncio.wait_for(nats.connect(broker.url, allow_reconnect=False, error_cb=_quiet), 3)
                try:
                    headers = {"Nats-Msg-Id": f"order-{number}"}
                    await client.jetstream(timeout=2).publish(
                        "order.placed", json.dumps(event).encode(), headers=headers
                    )
                    break
                finally:
                    await client.close()
            await asyncio.sleep(0.1)


async def _quiet(_error: Exception) -> None:
    """It dies on purpose."""


def adds_up(database_url: str, clients: list[Client]) -> dict[str, int]:
    """What must be true of the rows; some of their numbers."""
    with psycopg.connect(database_url) as connection:

        def one(query: str) -> int:
            return int((connection.execute(query.encode()).fetchone() or (0,))[0] or 0)

        wrong = """
            SELECT count(*) FROM products p WHERE
            reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservations WHERE product_id = p.id AND state = 'held')
            OR on_hand <> (SELECT coalesce(sum(change), 0) FROM movements WHERE product_id = p.id)
            OR on_hand <> (SELECT on_hand FROM movements WHERE product_id = p.id ORDER BY id DESC LIMIT 1)
            OR reserved < 0 OR reserved > on_hand
        """
        assert one(wrong) == 0, "stock does not add up"
        rows = dict(connection.execute("SELECT id, state FROM reservations").fetchall())
        said = {number: end[0] for client in clients for number, end in client.ends.items()}
        assert rows == said, (
            f"{len(rows)} reservations, {len(said)} acknowledged: {set(rows.items()) ^ set(said.items())}"
        )
        confirmed = sum(end[2] for client in clients for end in client.ends.values() if end[0] == "confirmed")
        assert one("SELECT -sum(change) FROM movements WHERE reservation_id IS NOT NULL") == confirmed
        orders = one("SELECT count(*) FROM movements WHERE note LIKE 'order %'")
        refused = one("SELECT count(*) FROM inbox WHERE outcome = 'refused'")
        assert orders + refused == one("SELECT count(*) FROM inbox")
        assert orders == one("SELECT count(DISTINCT note) FROM movements WHERE note LIKE 'order %'")
        return {
            "reservations": len(rows),
            "inbox": orders + refused,
            "issued": orders,
            "outbox": one("SELECT count(*) FROM outbox"),
        }


async def streamed(broker: Broker, database_url: str) -> int:
    """Hold the stream against the outbox. How many events there are."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT event_id, product_id FROM outbox ORDER BY id").fetchall()
        assert not connection.execute("SELECT 1 FROM outbox WHERE published_at IS NULL").fetchone()
    client = await nats.connect(broker.url)
    jetstream = client.jetstream(timeout=10)
    last = (await jetstream.stream_info("STOCK")).state.last_seq
    seen: list[tuple[str, str]] = []
    for number in range(1, last + 1):
        message = await jetstream.get_msg("STOCK", number)
        event = json.loads(message.data or b"")
        seen.append((event["id"], event["subject"]))
    await client.close()
    copies = len(seen) - len({*seen})
    first: dict[str, int] = {}
    for place, (event_id, _) in enumerate(seen):
        first.setdefault(event_id, place)
    assert first.keys() == {event_id for event_id, _ in rows}, "the stream has not what the outbox has"
    of_product = defaultdict(list)
    for event_id, product_id in rows:
        of_product[product_id].append(first[event_id])
    assert all(one < after for places in of_product.values() for one, after in pairwise(places)), "out of order"
    assert copies == 0, f"{copies} events are in the stream twice"
    return len(seen)


@contextmanager
def ended(what: Any) -> Iterator[Any]:  # noqa: ANN401
    """Whatever happens, it goes."""
    try:
        yield what
    finally:
        what.kill()


async def until(done: Any, seconds: float = 120) -> None:  # noqa: ANN401
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(done):
            await asyncio.sleep(0.2)


async def prove() -> None:
    """The whole."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name, servers.postgresql(fsync=True) as database_url, ExitStack() as stack:
        broker = stack.enter_context(ended(Broker(Path(name))))
        settings = {
            "ENVIRONMENT": "test",
            "SECRET_KEY": "x" * 40,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": database_url,
            "LOG_LEVEL": "ERROR",
            "RATE_LIMIT": "1000000/1",  # who is killed loses what it took of the window
            "NATS_URL": broker.url,
        }
        processes = [Application(settings), Application(settings)]
        processes[0].command_once("migrate")
        with psycopg.connect(database_url, autocommit=True) as connection:
            for product in range(1, PRODUCTS + 1):
                connection.execute(
                    "WITH new AS (INSERT INTO products (sku, name, on_hand, reserved, created_at, updated_at) "
                    "VALUES (%s, 'Tea', %s, 0, now(), now()) RETURNING id) "
                    "INSERT INTO movements (product_id, kind, change, on_hand, note, created_at) "
                    "SELECT id, 'receive', %s, %s, 'the first', now() FROM new",
                    (f"TEA-{product}", EACH, EACH, EACH),
                )
        client = await nats.connect(broker.url)
        for stream, subject in (("STOCK", "stock.>"), ("ORDERS", "order.>")):
            window = WINDOW if stream == "ORDERS" else 120.0
            config = StreamConfig(name=stream, subjects=[subject], duplicate_window=window)
            await client.jetstream().add_stream(config)
        await client.close()
        for process in processes:
            stack.enter_context(process)
        relays = [stack.enter_context(ended(Worker("relay", settings))) for _ in range(3)]
        consumers = [stack.enter_context(ended(Worker("consume", settings))) for _ in range(2)]
        os.environ |= settings
        own = Settings(_env_file=None)
        clients = [
            Client(processes, issue(own, f"client-{number}", lasts=timedelta(hours=1)), number)
            for number in range(CLIENTS)
        ]
        living = [asyncio.create_task(each.live()) for each in clients]
        ordering = asyncio.create_task(order(broker, range(ORDERS)))
        kills = asyncio.gather(
            killing(processes, SERVER_KILLS, 0.4, 1.2),
            killing(relays, RELAY_KILLS, 0.3, 1.2),
            killing(consumers, CONSUMER_KILLS, 0.8, 2.5),
            killing([broker], BROKER_KILLS, 2, 5),
        )
        done, _ = await asyncio.wait([kills, *living], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task  # the living end by failing only
        for each in clients:
            each.writes = False
        await asyncio.gather(*living, ordering)

        def rows(query: str) -> int:
            with psycopg.connect(database_url) as connection:
                return int((connection.execute(query.encode()).fetchone() or (0,))[0])

        await until(lambda: rows("SELECT count(*) FROM inbox") == ORDERS)
        before = adds_up(database_url, clients)
        await asyncio.sleep(WINDOW + 1)
        await order(broker, range(ORDERS))  # again, when the broker has forgotten them
        client = await nats.connect(broker.url)
        replayed = (await client.jetstream().stream_info("ORDERS")).state.messages
        assert replayed >= 2 * ORDERS, f"{replayed} orders in the stream: none was replayed"
        while True:
            info = await client.jetstream().consumer_info("ORDERS", "stock")
            if not info.num_pending and not info.num_ack_pending:
                break
            await asyncio.sleep(0.2)
        await client.close()
        await until(lambda: rows("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0)
        after = adds_up(database_url, clients)
        assert after == before, f"{before} before the replay, {after} after"
        events = await streamed(broker, database_url)
    asked, again = sum(client.asked for client in clients), sum(client.again for client in clients)
    kills = f"{SERVER_KILLS} of 2 servers, {RELAY_KILLS} of 3 relays, {CONSUMER_KILLS} of 2 consumers"
    orders = f"{after['issued']} issued + {after['inbox'] - after['issued']} refused"
    print(
        f"kills: {kills}, {BROKER_KILLS} of the broker; {asked} requests, {again} sent again; "
        f"{after['reservations']} reservations, as acknowledged; stock adds up; outbox {after['outbox']} = "
        f"stream {events}, in order; {replayed} orders came, inbox {after['inbox']} = {orders}; "
        f"{time.monotonic() - started:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(prove())
