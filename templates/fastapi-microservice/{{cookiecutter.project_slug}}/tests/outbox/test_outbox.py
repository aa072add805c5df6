"""The outbox: an event for each change that is committed, published at least once, in the order of its product."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from sqlalchemy import Row, func, select

from app.database import Database, now
from app.outbox import publishers, relay
from app.outbox.models import Event
from app.outbox.publishers import File, JetStream, publisher
from app.settings import Settings
from tests import servers
from tests.conftest import a_hold, a_product, once


class Memory:
    """A publisher that keeps what it was given, and may fail."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.failures = 0
        self.takes = 0.0  # seconds for an event
        self.never: str | None = None  # the type of events that it can never take

    async def ready(self) -> None:
        """It always is."""

    async def publish(self, event: Row[Any]) -> None:
        await asyncio.sleep(self.takes)
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        if event.type == self.never:
            raise ValueError("what somebody wrote")
        self.events.append(relay.cloud_event(event))

    async def close(self) -> None:
        """Nothing is open."""


async def empty(database: Database) -> bool:
    async with database.read() as connection:
        waiting = select(func.count()).select_from(Event).where(Event.published_at.is_(None))
        return await connection.scalar(waiting) == 0


async def run_until_empty(database: Database, *publishers: relay.Publisher) -> None:
    """A relay for each publisher, until there is nothing left."""
    stop = asyncio.Event()
    relays = [asyncio.create_task(relay.run(database, each, stop)) for each in publishers]
    async with asyncio.timeout(30):
        while not await empty(database):
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*relays)


async def test_every_change_has_its_event_and_a_refusal_has_none(
    writer: httpx2.AsyncClient, database: Database
) -> None:
    product = await a_product(writer, on_hand=5, sku="TEA")
    path = f"/api/v1/products/{product['id']}"
    await writer.patch(path, json={"name": "Black tea"}, headers={"If-Match": "*"})
    confirmed, cancelled = await a_hold(writer, product, 2), await a_hold(writer, product, 1)
    await writer.post(f"/api/v1/reservations/{confirmed['id']}/confirm", headers=once())
    await writer.post(f"/api/v1/reservations/{cancelled['id']}/cancel", headers=once())
    too_much = {"product_id": product["id"], "quantity": 99}
    assert (await writer.post("/api/v1/reservations", json=too_much, headers=once())).status_code == 409
    gone = await a_product(writer)
    await writer.delete(f"/api/v1/products/{gone['id']}", headers={"If-Match": "*"})

    await run_until_empty(database, published := Memory())
    in_order = sorted(published.events, key=lambda event: int(event["subject"].split("/")[1]))
    assert [event["type"].removeprefix("stock.").removesuffix(".v1") for event in in_order] == [
        "product.created",
        "movement.made",
        "product.changed",
        "reservation.held",
        "reservation.held",
        "movement.made",
        "reservation.confirmed",
        "reservation.cancelled",
        "product.created",
        "product.deleted",
    ]
    first = published.events[0]
    assert first["data"] == {"id": product["id"], "sku": "TEA", "name": "Green tea"}
    assert (first["specversion"], first["source"], first["subject"]) == ("1.0", "/stock", f"products/{product['id']}")
    assert (first["datacontenttype"], first["time"][-1]) == ("application/json", "Z")
    assert timedelta(0) < now() - datetime.fromisoformat(first["time"]) < timedelta(minutes=1)
    assert len({event["id"] for event in published.events}) == 10


async def test_several_relays_publish_each_event_once_and_keep_the_order_of_a_product(
    writer: httpx2.AsyncClient, database: Database, settings: Settings, on_postgresql: bool
) -> None:
    """On SQLite it is one relay: there is no claim there."""
    products = [await a_product(writer) for _ in range(5)]
    for number in range(60):
        body = {"kind": "receive", "quantity": 1, "note": str(number)}
        path = f"/api/v1/products/{products[number % 5]['id']}/movements"
        assert (await writer.post(path, json=body, headers=once())).status_code == 201
    together = Memory()
    own = [Database(settings.async_database) for _ in range(3 if on_postgresql else 1)]
    stop = asyncio.Event()
    relays = [asyncio.create_task(relay.run(each, together, stop)) for each in own]
    async with asyncio.timeout(30):
        while not await empty(database):
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*relays)
    for each in own:
        await each.close()
    assert len(together.events) == len({event["id"] for event in together.events}) == 65
    for product in products:
        after = [
            event["data"]["on_hand"]
            for event in together.events
            if event["subject"] == f"products/{product['id']}" and event["type"] == "stock.movement.made.v1"
        ]
        assert all(one < next_ for one, next_ in pairwise(after))


class Waiting(Memory):
    """A publisher that takes nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may = asyncio.Event(), asyncio.Event()

    async def publish(self, event: Row[Any]) -> None:
        self.begun.set()
        await self.may.wait()
        await super().publish(event)


async def test_a_relay_does_not_wait_for_what_another_one_is_at(
    writer: httpx2.AsyncClient,
    database: Database,
    settings: Settings,
    on_postgresql: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not on_postgresql:
        return  # there is one relay
    monkeypatch.setattr(relay, "MOST_AT_ONCE", 1)
    first, second = await a_product(writer), await a_product(writer)
    waiting, quick, other = Waiting(), Memory(), Database(settings.async_database)
    batch = asyncio.create_task(relay.publish_some(database, waiting, {}))
    await waiting.begun.wait()
    try:
        async with asyncio.timeout(5):
            assert await relay.publish_some(other, quick, {}) == 1
    finally:
        waiting.may.set()
        assert await batch == 1
        await other.close()
    assert [event["data"]["id"] for event in waiting.events + quick.events] == [first["id"], second["id"]]


async def test_a_broker_that_fails_loses_nothing(
    writer: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOOK_EVERY", 0.01)
    await a_product(writer, on_hand=3)
    await a_product(writer, on_hand=3)
    broken = Memory()
    broken.failures = 3
    await run_until_empty(database, broken)
    assert {event["type"] for event in broken.events} == {"stock.product.created.v1", "stock.movement.made.v1"}
    assert len({event["id"] for event in broken.events}) == 4


async def test_without_a_broker_events_are_lines_of_a_file(
    writer: httpx2.AsyncClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "new" / "events.jsonl"
    to = publisher(settings.model_copy(update={"events_file": file}))
    assert isinstance(to, File)
    product = await a_product(writer, on_hand=1)
    await run_until_empty(database, to)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["data"]["id"] for line in lines if line["type"] == "stock.product.created.v1"] == [product["id"]]
    assert len(lines) == 2


async def test_a_slow_broker_is_no_standstill_and_keeps_nobody_from_writing(
    writer: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was published in the time of a batch is marked, and the rest comes next."""
    monkeypatch.setattr(relay, "LONGEST_BATCH", 0.5)
    product = await a_product(writer, on_hand=3)
    for _ in range(3):
        await a_hold(writer, product)
    slow = Memory()
    slow.takes = 0.2
    batch = asyncio.create_task(relay.publish_some(database, slow, {}))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(0.3):
        await a_product(writer)
    assert not batch.done()
    assert 1 <= await batch <= 3
    assert len(slow.events) == await batch
    await run_until_empty(database, slow)
    assert len(slow.events) == len({event["id"] for event in slow.events}) == 6


async def test_an_event_that_cannot_be_published_keeps_its_product_waiting_and_no_other(
    writer: httpx2.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MOST_AT_ONCE", 3)
    stuck = await a_product(writer, on_hand=1)
    for _ in range(4):
        await writer.patch(f"/api/v1/products/{stuck['id']}", json={"name": "Black tea"}, headers={"If-Match": "*"})
    other = await a_product(writer)
    picky = Memory()
    picky.never = "stock.movement.made.v1"
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(database, picky, stop))
    async with asyncio.timeout(10):
        while len(picky.events) < 2:
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert [event["subject"] for event in picky.events] == [f"products/{each['id']}" for each in (stuck, other)]
    async with database.read() as connection:
        waits = select(Event.event_id).where(Event.published_at.is_(None)).order_by(Event.id)
        first, *rest = (await connection.execute(waits)).scalars().all()
    assert len(rest) == 4, "they come after it"
    assert f"Event {first} cannot be published" in caplog.text
    assert "what somebody wrote" not in caplog.text


async def test_a_line_that_was_torn_takes_no_other_with_it(
    writer: httpx2.AsyncClient, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b'{"specversion": "1.0", "id": "torn')
    await a_product(writer, on_hand=1)
    await run_until_empty(database, File(file))
    torn, *lines = file.read_text().splitlines()
    assert torn.endswith("torn")
    assert [json.loads(line)["type"] for line in lines] == ["stock.product.created.v1", "stock.movement.made.v1"]


@pytest.fixture
async def stream() -> AsyncIterator[tuple[str, JetStreamContext]]:
    """A NATS server with JetStream: its address, and a way to what is in it."""
    with servers.nats(jetstream=True) as url:
        client = await nats.connect(url)
        yield url, client.jetstream()
        await client.close()


async def test_jetstream_takes_an_event_once_however_often_it_is_published(
    writer: httpx2.AsyncClient, database: Database, settings: Settings, stream: tuple[str, JetStreamContext]
) -> None:
    url, jetstream = stream
    await a_product(writer, on_hand=1)
    async with database.read() as connection:
        events = (await connection.execute(select(Event).order_by(Event.id))).all()
    to = publisher(settings.model_copy(update={"nats_url": url}))
    assert isinstance(to, JetStream)
    await to.ready()
    for event in [*events, *events, *events]:
        await to.publish(event)
    await run_until_empty(database, to)
    assert (await jetstream.stream_info(publishers.STREAM)).state.messages == 2
    message = await jetstream.get_msg(publishers.STREAM, 2)
    assert message.subject == "stock.movement.made.v1"
    assert message.headers
    assert message.headers["Content-Type"] == "application/cloudevents+json"
    assert json.loads(message.data or b"")["id"] == message.headers["Nats-Msg-Id"] == events[1].event_id


async def test_a_stream_that_is_there_is_used_as_it_is(
    writer: httpx2.AsyncClient, database: Database, settings: Settings, stream: tuple[str, JetStreamContext]
) -> None:
    """Whoever runs the broker says for how long it keeps things."""
    url, jetstream = stream
    await jetstream.add_stream(StreamConfig(name=publishers.STREAM, subjects=["stock.>"], max_age=86400))
    await a_product(writer)
    await run_until_empty(database, publisher(settings.model_copy(update={"nats_url": url})))
    info = await jetstream.stream_info(publishers.STREAM)
    assert (info.state.messages, info.config.max_age) == (1, 86400)


async def test_a_broker_that_is_gone_is_said_and_waited_for(
    writer: httpx2.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(publishers, "PATIENCE", 0.5)
    port = servers.free_port()
    await a_product(writer)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(database, JetStream(f"nats://127.0.0.1:{port}"), stop))
    async with asyncio.timeout(20):
        while "Nothing can be published" not in caplog.text:
            await asyncio.sleep(0.02)
    assert "ConnectionError TimeoutError" in caplog.text, "and what the matter is"
    assert not await empty(database)
    with servers.nats(port, jetstream=True):
        async with asyncio.timeout(20):
            while not await empty(database):
                await asyncio.sleep(0.02)
    stop.set()
    await running
