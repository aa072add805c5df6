"""A process that ends: its streams say when to come back."""

import asyncio
import time

import httpx2

from app.settings import Settings
from tests.conftest import Meet
from tests.live.test_drain import WITHIN
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room
from tests.test_commands import served


async def test_a_stream_brings_what_is_due_and_says_when_to_come_back(meet: Meet, settings: Settings) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    for number in range(50):
        await say(ada, path, f"{number}")
    with served(settings) as process:
        query, headers = {"room": f"{room_id(path)}.0"}, {"Cookie": ada.cookie}
        async with (
            httpx2.AsyncClient(base_url=process.url) as other,
            other.stream("GET", "/events", params=query, headers=headers) as stream,
        ):
            lines = stream.aiter_lines()
            await anext(lines)
            started = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(process.stop))
            rest = [line async for line in lines]
            await stopping
    assert sum('"type":"event"' in line for line in rest) == 51
    assert any(line.startswith("retry: ") for line in rest)
    assert time.monotonic() - started < WITHIN
