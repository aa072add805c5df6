"""The application: what it is made of, and what it holds while it runs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app import pages, problems, security
from app.accounts.routes import router as accounts
from app.database import Database
from app.extras import all_extras, choose_broker
from app.health import readiness
from app.live.hub import Hub
from app.live.routes import router as live
from app.messages.routes import router as messages
from app.rooms.routes import router as rooms
from app.security import Application
from app.settings import Settings
from app.state import State, finish

logger = logging.getLogger(__name__)

API = "/api/v1"
OPENAPI = f"{API}/openapi.json"
STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, by default those of the environment. Nothing is opened before it starts."""
    settings = settings or Settings()
    lifespan = partial(running, settings)
    app = Application(title="Team rooms", lifespan=lifespan, openapi_url=OPENAPI, docs_url=None, redoc_url=None)
    problems.install(app)
    security.install(app, settings)
    for feature in (accounts, rooms, messages):
        app.include_router(feature, prefix=API)
    for router in (live, pages.router, *(extra.router for extra in all_extras().values() if extra.router)):
        app.include_router(router)
    for name, extra in all_extras().items():
        if extra.static:
            app.mount(f"/static/{name}", StaticFiles(directory=extra.static))
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


@asynccontextmanager
async def running(settings: Settings, _app: FastAPI) -> AsyncIterator[State]:
    """What a process holds, from its start to its end."""
    broker = choose_broker(settings)
    database = Database(settings.async_database, broker)
    hub = Hub(database)
    helpers = {"broker": lambda: broker.up}
    state = State(settings=settings, database=database, hub=hub, bearers=[], extras={}, helpers=helpers)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        status, body = await readiness(state)
        if status != HTTPStatus.OK:
            logger.error("Not ready: %s", body.get("detail", "the database does not answer"))
        carrier = asyncio.create_task(broker.run())
        stack.push_async_callback(finish, carrier)
        stack.callback(carrier.cancel)
        stack.push_async_callback(finish, asyncio.create_task(hub.run()))
        stack.callback(hub.stop)
        for extra in all_extras().values():
            if extra.lifespan:
                await stack.enter_async_context(extra.lifespan(state))
        yield state
