"""Limits: how often somebody may ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.extras import Extra
from app.limits.services import Limits
from app.state import State


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Count every request of somebody who is known."""
    state["limits"].append(Limits(state["database"]).admit)
    yield


extra = Extra(lifespan=lifespan)
