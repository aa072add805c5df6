"""A deploy fails no request: one process is told to stop while others take over."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import httpx2

from app.__main__ import how_to_serve
from app.auth.issuer import issue
from app.settings import Settings
from tests.conftest import HOUR, PATIENCE, a_product, served


async def test_a_process_that_is_told_to_stop_fails_no_request(settings: Settings) -> None:
    """Callers keep their connections as a load balancer does, and go to the other process once theirs is closed."""
    headers = {"Authorization": f"Bearer {issue(settings, 'writer', lasts=HOUR)}"}
    with served(settings) as stays, served(settings, DRAIN_SECONDS="2") as goes:
        answered, failed, moved = 0, list[object](), 0
        end = asyncio.Event()
        async with httpx2.AsyncClient(base_url=stays.url, headers=headers, timeout=PATIENCE) as client:
            product = await a_product(client, on_hand=1000)

        async def call() -> None:
            nonlocal answered, moved
            async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as client:
                where = goes.url
                while not end.is_set():
                    try:
                        answer = await client.get(f"{where}/api/v1/products/{product['id']}")
                    except httpx2.TransportError as error:
                        failed.append(repr(error))
                        break
                    answered += answer.status_code == 200
                    if answer.status_code != 200:
                        failed.append(answer.status_code)
                    if answer.headers.get("connection") == "close":
                        where, moved = stays.url, moved + 1
                    # Connections are idle, too: that is when it matters.
                    await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311

        callers = [asyncio.create_task(call()) for _ in range(12)]
        async with asyncio.timeout(PATIENCE):
            while answered < 60:
                await asyncio.sleep(0.05)
        began = time.monotonic()
        await asyncio.to_thread(goes.stop)
        took = time.monotonic() - began
        await asyncio.sleep(0.3)
        end.set()
        await asyncio.gather(*callers)
    assert failed == []
    assert moved == 12
    assert took >= 2


def test_what_runs_may_take_as_long_as_its_deadline(settings: Settings) -> None:
    for seconds in (0.5, 10, 25):
        told = how_to_serve(settings.model_copy(update={"deadline_seconds": seconds}))
        assert told["timeout_graceful_shutdown"] > seconds


async def test_what_runs_is_finished(settings: Settings) -> None:
    """A body that is still coming when the process is told to stop, and the answer to it."""
    token = issue(settings, "writer", lasts=HOUR)
    with served(settings) as application:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"sku": "SLOW", '
            await asyncio.sleep(1)
            yield b'"name": "Tea"}'

        async with httpx2.AsyncClient(base_url=application.url, headers=headers, timeout=PATIENCE) as client:
            running = asyncio.create_task(client.post("/api/v1/products", content=slowly()))
            await asyncio.sleep(0.4)
            await asyncio.to_thread(application.stop)
            assert (await running).status_code == 201
