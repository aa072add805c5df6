"""Orders that others placed: taken once, however often they come, and in whatever process."""

import asyncio
import json
from typing import Any

import httpx2
import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamConfig
from sqlalchemy import func, select

from app.database import Database
from app.inbox import consumer
from app.inbox.models import Received
from app.inbox.schemas import OrderPlaced
from app.inbox.services import take
from app.outbox.models import Event
from app.products.models import Movement
from app.settings import Settings
from tests import servers
from tests.conftest import a_product


def order(product_id: int, quantity: int = 1, **other: Any) -> dict[str, Any]:
    """An event that tells of an order."""
    data = {"order": "2026-17", "product_id": product_id, "quantity": quantity, "customer": "not ours to know"}
    return {"specversion": "1.0", "id": "1", "source": "/orders", "type": "order.placed", "data": data, **other}


def event(product_id: int, quantity: int = 1, **other: Any) -> OrderPlaced:
    return OrderPlaced.model_validate(order(product_id, quantity, **other))


async def on_hand(writer: httpx2.AsyncClient, product: dict[str, Any]) -> int:
    return int((await writer.get(f"/api/v1/products/{product['id']}")).json()["on_hand"])


async def test_an_order_is_issued_once_however_often_it_comes(
    writer: httpx2.AsyncClient, database: Database, settings: Settings
) -> None:
    product = await a_product(writer, on_hand=10)
    own = [Database(settings.async_database) for _ in range(3)]
    taken = await asyncio.gather(*(take(own[n % 3], event(product["id"], 2)) for n in range(12)))
    for each in own:
        await each.close()
    assert taken.count(True) == 1
    assert await on_hand(writer, product) == 8
    assert await take(database, event(product["id"], 2, id="2"))
    assert await take(database, event(product["id"], 2, source="/other-orders"))
    assert await on_hand(writer, product) == 4
    (last, *_) = (await writer.get(f"/api/v1/products/{product['id']}/movements")).json()["items"]
    assert (last["kind"], last["change"], last["note"]) == ("issue", -2, "order 2026-17")


@pytest.mark.parametrize("quantity", [11, 1_000_000])
async def test_an_order_that_cannot_be_filled_is_refused_and_others_learn_of_it(
    writer: httpx2.AsyncClient, database: Database, quantity: int
) -> None:
    product = await a_product(writer, on_hand=10)
    assert await take(database, event(product["id"], quantity))
    assert not await take(database, event(product["id"], quantity))
    assert await take(database, event(product["id"] + 1, id="2"))
    assert await on_hand(writer, product) == 10
    async with database.read() as connection:
        assert (await connection.scalars(select(Received.outcome))).all() == ["refused", "refused"]
        refused = select(func.count()).where(Event.type == "stock.order.refused.v1")
        assert await connection.scalar(refused) == 2


async def test_what_fails_half_way_leaves_nothing_and_comes_again(
    writer: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await a_product(writer, on_hand=10)

    async def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr("app.products.services.emit", fail)
    with pytest.raises(OSError):  # noqa: PT011  it is ours
        await take(database, event(product["id"]))
    monkeypatch.undo()
    assert await take(database, event(product["id"]))
    assert await on_hand(writer, product) == 9


async def test_orders_come_from_a_stream_and_nonsense_never_again(
    writer: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "LONGEST_PAUSE", 0.2)
    product, port, stop = await a_product(writer, on_hand=10), servers.free_port(), asyncio.Event()
    url = f"nats://127.0.0.1:{port}"
    running = asyncio.create_task(consumer.run(database, url=url, stop=stop))  # before there is anybody to ask
    with servers.nats(port, jetstream=True):
        client = await nats.connect(url)
        jetstream = client.jetstream()
        await jetstream.add_stream(StreamConfig(name="ORDERS", subjects=["order.>"]))
        for body in (b"nonsense", b"{}", json.dumps(order(product["id"], 0)).encode()):
            await jetstream.publish("order.placed", body)
        for number in range(5):
            for _ in range(2):
                await jetstream.publish("order.placed", json.dumps(order(product["id"], id=str(number))).encode())
        async with asyncio.timeout(30):
            while await on_hand(writer, product) > 5:
                await asyncio.sleep(0.05)
            while (
                info := await jetstream.consumer_info("ORDERS", consumer.DURABLE)
            ).num_ack_pending or info.num_pending:
                await asyncio.sleep(0.05)
        stop.set()
        await running
        await client.close()
    assert await on_hand(writer, product) == 5
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).where(Movement.kind == "issue")) == 5


async def test_an_order_is_acknowledged_once_it_is_taken_and_not_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not acknowledged comes again."""
    message = Msg(Client(), data=json.dumps(order(1)).encode())
    done = list[str]()

    async def ack(_message: Msg) -> None:
        done.append("acknowledged")

    async def taken(*_: object) -> None:
        done.append("taken")

    monkeypatch.setattr(Msg, "ack", ack)
    monkeypatch.setattr(consumer, "take", taken)
    await consumer.take_one(database, message)
    assert done == ["taken", "acknowledged"]


async def test_it_stops_when_told_while_there_is_nobody_to_ask(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consumer, "PATIENCE", 0.2)
    monkeypatch.setattr(consumer, "FIRST_PAUSE", 20.0)
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(database, url=f"nats://127.0.0.1:{servers.free_port()}", stop=stop))
    async with asyncio.timeout(10):
        while "No order can be taken" not in caplog.text:
            await asyncio.sleep(0.02)
        stop.set()
        await running
