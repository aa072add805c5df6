"""The application: what it is made of, and what it holds while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles

from app import pages, problems, security
from app.accounts.routes import router as accounts
from app.database import Database
from app.extras import all_extras, choose_broker
from app.live.hub import Hub
from app.live.routes import router as live
from app.messages.routes import router as messages
from app.rooms.routes import router as rooms
from app.settings import Settings
from app.state import State

logger = logging.getLogger(__name__)

API = "/api/v1"
STOPS_WITHIN = timedelta(seconds=0.5)  # the hub, at the end: it may be amid a question to the database
STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, by default those of the environment. Nothing is opened before it starts."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        database, broker = Database(settings.async_database), choose_broker(settings)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            await warn_about_schema(database)
            hub = Hub(database, broker)
            reader, carrier = asyncio.create_task(hub.run()), asyncio.create_task(broker.run())
            stack.push_async_callback(end, hub, reader, carrier)
            helpers = {"broker": lambda: broker.up}
            state = State(
                settings=settings, database=database, broker=broker, hub=hub, bearers=[], extras={}, helpers=helpers
            )
            for extra in all_extras().values():
                if extra.lifespan:
                    await stack.enter_async_context(extra.lifespan(state))
            yield cast(Mapping[str, Any], state)

    app = FastAPI(
        title="Team rooms", lifespan=lifespan, openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None
    )
    problems.install(app)
    security.install(app, settings)
    for feature in (accounts, rooms, messages):
        app.include_router(feature, prefix=API)
    for router in (live, pages.router):
        app.include_router(router)
    for name, extra in all_extras().items():
        if extra.api:
            app.include_router(extra.api, prefix=API)
        if extra.router:
            app.include_router(extra.router)
        if extra.static:
            app.mount(f"/static/{name}", StaticFiles(directory=extra.static))
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


async def end(hub: Hub, reader: asyncio.Task[None], carrier: asyncio.Task[None]) -> None:
    """Let the tasks of the process come to their end."""
    hub.stop()
    carrier.cancel()
    await asyncio.wait({reader, carrier}, timeout=STOPS_WITHIN.total_seconds())
    reader.cancel()


async def warn_about_schema(database: Database) -> None:
    """Say at once, in the log, what `/readyz` will say to whoever asks."""
    try:
        schema = await database.schema()
    except (SQLAlchemyError, OSError):
        logger.exception("The database does not answer; /readyz says so until it does")
    else:
        if schema != "ok":
            logger.error("The database's schema is %s. Run: python -m app migrate", schema)
