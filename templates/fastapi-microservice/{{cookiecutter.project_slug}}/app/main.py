"""The application: what it is made of, and what it holds while it runs."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app import pages, problems, security, telemetry
from app.auth.services import Tokens
from app.database import Database
from app.drain import draining
from app.extras import all_extras
from app.health import readiness
from app.limits.services import Limits
from app.products.routes import movements
from app.products.routes import router as products
from app.reservations.routes import router as reservations
from app.security import Application
from app.settings import Settings
from app.state import State

logger = logging.getLogger(__name__)

API = "/api/v1"
OPENAPI = f"{API}/openapi.json"
STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, by default those of the environment. Nothing is opened before it starts."""
    settings = settings or Settings()
    app = Application(
        title="Stock",
        version="1",
        lifespan=partial(running, settings),
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"exclude": telemetry.unprobed},
    )
    problems.install(app)
    security.install(app, settings)
    extras = [extra.router for extra in all_extras().values() if extra.router]
    for router in (products, movements, reservations, *extras):
        app.include_router(router, prefix=API)
    app.include_router(pages.router)
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


@asynccontextmanager
async def running(settings: Settings, _app: FastAPI) -> AsyncIterator[State]:
    """What a process holds, from its start to its end."""
    database = Database(settings.async_database, deadline=timedelta(seconds=settings.deadline_seconds))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        state = State(
            settings=settings,
            database=database,
            tokens=Tokens(settings),
            limits=Limits(database, settings.allowance),
            draining=stack.enter_context(draining(settings.drain_seconds)),
            extras={},
        )
        status, body = await readiness(state)
        if status != HTTPStatus.OK:
            logger.error("Not ready: %s", body.get("detail", "the database does not answer"))
        for extra in all_extras().values():
            if extra.lifespan:
                await stack.enter_async_context(extra.lifespan(state))
        yield state
