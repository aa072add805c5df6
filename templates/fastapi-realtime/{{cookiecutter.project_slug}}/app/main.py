"""The application: what it is made of, and what it holds while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles

from app import pages, problems, security
from app.accounts.routes import router as accounts
from app.broker import InProcessBroker
from app.database import Database
from app.live.hub import Hub
from app.live.routes import router as live
from app.messages.routes import router as messages
from app.rooms.routes import router as rooms
from app.settings import Settings
from app.state import State

logger = logging.getLogger(__name__)

API = "/api/v1"
STOPS_WITHIN = timedelta(seconds=1)  # the hub, at the end: it may be amid a question to the database
STATIC = Path(__file__).parent / "static"


class LifespanState(State):
    """What requests may use, and the hub, which only sockets do."""

    hub: Hub


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, by default those of the environment. Nothing is opened before it starts."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        database, broker = Database(settings.async_database), InProcessBroker()
        await warn_about_schema(database)
        hub = Hub(database, broker)
        reader = asyncio.create_task(hub.run())
        state = LifespanState(settings=settings, database=database, broker=broker, hub=hub)
        yield cast(Mapping[str, Any], state)
        hub.stop()
        await asyncio.wait({reader}, timeout=STOPS_WITHIN.total_seconds())
        reader.cancel()
        await database.close()

    app = FastAPI(
        title="Team rooms", lifespan=lifespan, openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None
    )
    problems.install(app)
    security.install(app, settings)
    for feature in (accounts, rooms, messages):
        app.include_router(feature, prefix=API)
    app.include_router(live)
    app.include_router(pages.router)
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


async def warn_about_schema(database: Database) -> None:
    """Say at once, in the log, what `/readyz` will say to whoever asks."""
    try:
        schema = await database.schema()
    except (SQLAlchemyError, OSError):
        logger.exception("The database does not answer; /readyz says so until it does")
    else:
        if schema != "ok":
            logger.error("The database's schema is %s. Run: python -m app migrate", schema)
