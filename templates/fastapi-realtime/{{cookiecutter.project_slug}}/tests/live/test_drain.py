"""The end of a process: what is due is sent, what runs is finished or rolled back, and it is over in three seconds."""

import asyncio
import time
import uuid
from contextlib import suppress

import httpx2
from sqlalchemy import select

from app.database import Database
from app.rooms import log
from app.rooms.models import Event
from app.settings import Settings
from tests.conftest import Meet
from tests.live.fixtures import Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room
from tests.test_commands import served

WITHIN = 3.0  # seconds


async def test_what_is_due_is_sent_before_a_socket_is_closed(
    meet: Meet, online: Connect, settings: Settings, database: Database
) -> None:
    """Eight pages, more than the kernel takes, wait for who reads slowly when the end comes: all arrive, then 1012."""
    ada = await meet("ada")
    path = await make_room(ada)
    async with database.write() as session:
        for number in range(1600):
            event = Event(room_id=uuid.UUID(room_id(path)), kind="message", actor_id=ada.id, body="x" * 4000)
            event.client_id = f"number-{number}"
            await log.append(session, event)
    with served(settings) as process:
        async with online(ada, at=process.url, narrow=True) as client:
            await client.send(type="publish", room=room_id(path), client_id="the-last-one", body="last words")
            await client.send(type="subscribe", room=room_id(path), after=0)
            await client.next("subscribed")
            client.socket.transport.pause_reading()
            await asyncio.sleep(0.5)
            stopping = asyncio.create_task(asyncio.to_thread(process.stop))
            await asyncio.sleep(0.3)
            client.socket.transport.resume_reading()
            await client.until(1602)
            assert client.bodies[-1] == "last words"
            assert await client.closed() == 1012
            await stopping


async def test_what_is_being_said_is_acknowledged_before_a_socket_is_closed(
    meet: Meet, online: Connect, settings: Settings, database: Database
) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    with served(settings) as process:
        async with online(ada, at=process.url) as client:
            async with database.write() as session:
                await log.lock(session, uuid.UUID(room_id(path)))
                await client.send(type="publish", room=room_id(path), client_id="as-it-ends", body="and this")
                await asyncio.sleep(0.3)
                stopping = asyncio.create_task(asyncio.to_thread(process.stop))
                await asyncio.sleep(0.5)
            assert (await client.next("ack"))["receipt"]["seq"] == 2
            assert await client.closed() == 1012
            await stopping


async def test_a_socket_and_a_running_request_end_well_and_in_time(
    meet: Meet, online: Connect, settings: Settings, database: Database
) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    with served(settings) as process:
        async with online(ada, at=process.url) as client, httpx2.AsyncClient(base_url=process.url) as other:
            await client.follow(room_id(path))
            async with database.write() as session:
                # Somebody holds the room, so the request is still running when the process is told to stop.
                await log.lock(session, uuid.UUID(room_id(path)))
                body = {"client_id": "while-it-ends", "body": "finished"}
                running = asyncio.create_task(other.post(f"{path}/messages", json=body, headers={"Cookie": ada.cookie}))
                await asyncio.sleep(0.3)
                started = time.monotonic()
                stopping = asyncio.create_task(asyncio.to_thread(process.stop))
                await asyncio.sleep(0.5)
            assert (await running).status_code == 201
            assert await client.closed() == 1012
            await stopping
    assert time.monotonic() - started < WITHIN


async def test_what_still_runs_at_the_deadline_is_rolled_back(
    meet: Meet, settings: Settings, database: Database
) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    with served(settings) as process:
        async with httpx2.AsyncClient(base_url=process.url, headers={"Cookie": ada.cookie}) as other:
            async with database.write() as session:
                await log.lock(session, uuid.UUID(room_id(path)))
                body = {"client_id": "never-finished", "body": "too late"}
                running = asyncio.create_task(other.post(f"{path}/messages", json=body))
                await asyncio.sleep(0.3)
                started = time.monotonic()
                await asyncio.to_thread(process.stop)
                assert time.monotonic() - started < WITHIN
            with suppress(httpx2.TransportError):  # cut, or just so answered
                assert (await running).status_code == 500
    async with database.read() as session:
        assert (await session.scalars(select(Event.client_id).where(Event.body == "too late"))).all() == []
    assert (await say(ada, path, "next")).json()["seq"] == 2
