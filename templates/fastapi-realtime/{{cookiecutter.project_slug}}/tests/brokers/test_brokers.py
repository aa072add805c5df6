"""Hints between processes: each broker for real, gone and back again."""

import asyncio
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import httpx2
import pytest

from app.broker import Hint
from app.brokers.extra import faults
from app.brokers.nats import NatsBroker
from app.brokers.postgresql import PostgresqlBroker
from app.brokers.remote import RemoteBroker
from app.brokers.valkey import ValkeyBroker
from app.live import hub
from app.settings import Settings
from tests import servers
from tests.conftest import Meet, serving
from tests.live.fixtures import Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room

PATIENCE = 10.0
VALKEY = pytest.param("valkey", marks=pytest.mark.skipif(sys.platform == "win32", reason="NO VALKEY for Windows"))


@contextmanager
def no_server(url: str) -> Iterator[str]:
    yield url


type Server = Callable[[], AbstractContextManager[str]]


@pytest.fixture(params=["postgresql", VALKEY, "nats"])
def broker(request: pytest.FixtureRequest, database_url: str) -> Iterator[tuple[str, type[RemoteBroker], str]]:
    """The name of a broker, its class, and the address of a server that runs."""
    kinds: dict[str, tuple[type[RemoteBroker], Server]] = {
        "postgresql": (PostgresqlBroker, lambda: no_server(database_url)),
        "valkey": (ValkeyBroker, servers.valkey),
        "nats": (NatsBroker, servers.nats),
    }
    if request.param == "postgresql" and not database_url.startswith("postgresql"):
        pytest.skip("NOTIFY is tested with --database postgresql")
    kind, start = kinds[request.param]
    with start() as url:
        yield request.param, kind, url


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_message_crosses_processes_without_the_poll(
    broker: tuple[str, type[RemoteBroker], str],
    meet: Meet,
    online: Connect,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, _, url = broker
    monkeypatch.setattr(hub, "POLL", timedelta(hours=1))
    monkeypatch.setenv("BROKER", name)
    monkeypatch.setenv(f"{name.upper()}_URL", url)
    ada = await meet("ada")
    path = await make_room(ada)
    async with serving(settings) as here, serving(settings) as there, online(ada, at=here) as client:
        async with httpx2.AsyncClient() as probe:
            for address in (here, there):
                async with asyncio.timeout(PATIENCE):
                    while (await probe.get(f"{address}/readyz")).json()["status"] != "ready":  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        await client.follow(room_id(path))
        ada.client.base_url = there
        await say(ada, path, "at once")
        await client.until(2)
        await ada.client.delete("/api/v1/session")
        assert await client.closed() == 4401


async def test_hints_go_both_ways_and_odd_ones_do_no_harm(
    broker: tuple[str, type[RemoteBroker], str],
) -> None:
    _, kind, url = broker
    one, two = kind(url), kind(url)
    heard: list[Hint] = []
    two.listen(heard.append)
    tasks = [asyncio.create_task(each.run()) for each in (one, two)]
    await until(lambda: one.up and two.up)
    hints = [Hint("room", uuid.uuid4()), Hint("note", uuid.uuid4(), "with data, and ünïcode")]
    for hint in [*hints, Hint("big", uuid.uuid4(), "x" * 9000)]:
        one.announce(hint)
    await until(lambda: len(heard) >= len(hints))
    for text in ("", "garbage", "a b c d", "a room no-uuid "):
        two.heard(text)
    two.announce(last := Hint("room", uuid.uuid4()))
    await asyncio.sleep(0.3)
    assert heard == [*hints, last], "once each; what one has said oneself does not come back"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_hint_that_a_listener_cannot_read_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """From a process of another version, perhaps."""

    def raises(hint: Hint) -> None:
        raise LookupError(hint.kind)

    broker = NatsBroker("nats://127.0.0.1")
    broker.listen(raises)
    broker.heard(f"another room {uuid.uuid4()} ")
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("name", [VALKEY, "nats"])
async def test_without_its_broker_a_process_is_degraded_and_loses_nothing(
    name: str, meet: Meet, online: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = servers.free_port()
    monkeypatch.setenv("BROKER", name)
    monkeypatch.setenv(f"{name.upper()}_URL", f"{name}://127.0.0.1:{port}")
    ada = await meet("ada")
    path = await make_room(ada)

    async def status(address: str) -> str:
        async with httpx2.AsyncClient() as probe:
            answer = await probe.get(f"{address}/readyz")
            assert answer.status_code == 200
            return str(answer.json()["status"])

    async def becomes(address: str, wanted: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await status(address) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async with serving(settings) as here, serving(settings) as there, online(ada, at=here) as client:
        await client.follow(room_id(path))
        ada.client.base_url = there
        await becomes(here, "degraded")
        await say(ada, path, "without")
        await client.until(2)
        with (servers.valkey if name == "valkey" else servers.nats)(port):
            await becomes(here, "ready")
            await becomes(there, "ready")
            await say(ada, path, "with")
            await client.until(3)
        await becomes(here, "degraded")
        await say(ada, path, "without again")
        await client.until(4)
    assert client.bodies == ["without", "with", "without again"]


def test_notify_without_postgresql_is_a_fault(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER", "postgresql")
    sqlite = settings.model_copy(update={"database_url": "sqlite:///x"})
    assert len(faults(sqlite)) == 1
    assert faults(settings.model_copy(update={"database_url": "postgresql://host/name"})) == []
