"""The application: what it is made of, and what it holds while it runs."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from app import pages, problems, security
from app.database import Database
from app.extras import all_extras
from app.health import readiness
from app.keys.services import Gate
from app.registry.files import Files
from app.security import Application
from app.serving import routes as protocol
from app.serving.batching import Scheduler
from app.serving.shelf import Shelf
from app.settings import Settings
from app.state import State, rest

logger = logging.getLogger(__name__)

LONGEST_BODY = 64 * 1024  # bytes; a route that takes longer ones says so
MOST_WAITING = 128 * 1024 * 1024  # bytes of all tensors that wait in a process


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for these settings, by default those of the environment. Nothing is opened before it starts."""
    settings = settings or Settings()
    app = Application(
        title="Departure delays",
        lifespan=partial(running, settings),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        max_body_size=LONGEST_BODY,
    )
    problems.install(app)
    # nginx's word for a client that is gone. Nobody reads it but the log, and it is no fault.
    app.add_exception_handler(ClientDisconnect, lambda *_: problems.answer(problems.problem(499, "gone", "Gone")))
    security.install(app, settings)
    extras = all_extras().values()
    app.router.routes += [*protocol.short_cuts, *(route for extra in extras for route in extra.short_cuts)]
    # Extras first: /v2/models/stats is not about a model of that name.
    for router in (*(extra.router for extra in extras if extra.router), protocol.router, pages.router):
        app.include_router(router)
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app


@asynccontextmanager
async def running(settings: Settings, app: FastAPI) -> AsyncIterator[State]:
    """What a process holds, from its start to its end."""
    database = Database(settings.async_database)
    files = Files(settings.model_folder)
    limits = {"longest_batch": settings.longest_batch, "longest_queue": settings.longest_queue}
    scheduler = Scheduler(threads=settings.inference_threads, most_bytes=MOST_WAITING, **limits)
    shelf = Shelf(database, files, scheduler)
    state = State(
        settings=settings,
        database=database,
        gate=Gate(database, settings.secret_key),
        files=files,
        shelf=shelf,
        people=[],
        limits=[],
        observers=[],
        extensions=["binary_tensor_data"],
        counters={},
        extras={"app": app},
        helpers={"models": lambda: not shelf.faulty},
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.callback(scheduler.close)
        status, body = await readiness(state)
        if status == HTTPStatus.OK:
            await shelf.refresh()
        else:
            logger.error("Not ready: %s", body.get("detail", "the database does not answer"))
        looking = asyncio.create_task(shelf.run())
        stack.push_async_callback(rest, looking, shelf.busy)
        for extra in all_extras().values():
            if extra.lifespan:
                await stack.enter_async_context(extra.lifespan(state))
        if settings.environment != "test":  # tests share the process, and look through its objects
            gc.freeze()  # what is there now stays: to look through it takes a tenth of a second without an answer
            stack.callback(gc.unfreeze)
        yield state
