"""Triton's extensions: what its clients ask for beyond the protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.extras import Extra
from app.state import State
from app.triton.routes import router


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Say that they are there."""
    state["extensions"] += ["model_configuration", "model_repository", "statistics"]
    yield


extra = Extra(router=router, lifespan=lifespan)
