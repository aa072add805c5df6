"""Presence: who is in a room, across processes, and who is typing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.extras import Extra
from app.presence.watch import Watch
from app.state import State, finish


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Watch for as long as the process runs."""
    watch = Watch(state["database"], state["hub"])
    task = asyncio.create_task(watch.run())
    yield
    await watch.stop()
    await finish(task)


extra = Extra(lifespan=lifespan, static=Path(__file__).parent / "static")
