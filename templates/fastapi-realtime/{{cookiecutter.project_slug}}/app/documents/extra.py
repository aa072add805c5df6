"""Documents: one per room, edited together, by the protocol of Yjs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.documents.routes import router
from app.documents.shared import Documents
from app.extras import Extra
from app.state import State, finish


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Look for changes of other processes for as long as this one runs."""
    documents = state["extras"]["documents"] = Documents(state["database"])
    task = asyncio.create_task(documents.run())
    yield
    documents.stop()
    await finish(task)


extra = Extra(router=router, lifespan=lifespan, static=Path(__file__).parent / "static")
