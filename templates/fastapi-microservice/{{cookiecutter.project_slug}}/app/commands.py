"""What commands have in common: settings that are read with care, a database for a while, errors in one line."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import typer
from pydantic import ValidationError

from app.database import Database
from app.problems import Problem
from app.settings import Settings


def refusal(*sentences: str, code: int = 2) -> typer.Exit:
    """The end of a command that cannot go on, after it has said why."""
    typer.echo("\n".join(sentences), err=True)
    return typer.Exit(code)


def read_settings() -> Settings:
    """The settings, or one line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        found = error.errors()
        raise refusal(*(f"{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in found)) from error


def in_database[Result](work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do something with the database of the settings. A rule that is broken is a line and exit code 1."""

    async def opened() -> Result:
        database = Database(read_settings().async_database)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(opened())
    except Problem as error:
        raise refusal(error.detail, code=1) from error


async def until_stopped(work: Callable[..., Awaitable[None]], database: Database) -> None:
    """Do something until SIGTERM or Ctrl-C: it ends when it has finished what it is at."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: asyncio.get_running_loop().call_soon_threadsafe(stop.set))
    await work(database, stop=stop)
