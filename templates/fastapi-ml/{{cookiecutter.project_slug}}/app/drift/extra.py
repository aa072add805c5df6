"""Drift: whether what is asked is still what the model learned from."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from app.drift.routes import router
from app.drift.services import Watch
from app.extras import Extra
from app.state import State, rest


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Count what is asked, and judge it on a schedule; at the end, write what is left."""
    watch = Watch(state["database"], state["shelf"])
    state["observers"].append(watch.note)
    state["extras"]["drift"] = watch
    task = asyncio.create_task(watch.run())
    yield
    await rest(task, watch.busy)
    with suppress(SQLAlchemyError, OSError):
        await watch.write()


extra = Extra(router=router, lifespan=lifespan, pages=(("/drift", "Drift"),))
