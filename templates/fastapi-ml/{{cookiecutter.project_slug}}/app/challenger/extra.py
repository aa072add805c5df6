"""Challenger: another version is asked beside the primary one, or instead of it for some requests."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.challenger import services
from app.challenger.routes import router
from app.challenger.services import Challengers, Mode
from app.commands import in_database
from app.extras import Extra
from app.state import State, rest

logger = logging.getLogger(__name__)
commands = typer.Typer()


@commands.command()
def challenge(
    name: str,
    version: int,
    mode: Annotated[
        Mode, typer.Option(help="shadow: asked beside the primary one. split: answers instead.")
    ] = "shadow",
    share: Annotated[float, typer.Option(min=0.001, max=1.0, help="Of the requests.")] = 1.0,
) -> None:
    """Let a version challenge the one that is served."""
    in_database(lambda database: services.challenge(database, name=name, number=version, mode=mode, share=share))


@commands.command()
def unchallenge(name: str) -> None:
    """Let nobody challenge the version that is served any more."""
    in_database(lambda database: services.end(database, name=name))


async def look(challengers: Challengers) -> None:
    """Look, again and again, until cancelled."""
    while True:
        try:
            async with challengers.busy:
                await challengers.refresh()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("Challengers cannot be looked up: %s", type(error).__name__)
        await asyncio.sleep(services.LOOK_EVERY)


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Choose for a split, and ask a shadow behind each answer."""
    challengers = Challengers(state["database"], state["shelf"])
    state["shelf"].choosers.append(challengers.choose)
    state["observers"].append(challengers.note)
    state["extras"]["challenger"] = challengers
    task = asyncio.create_task(look(challengers))
    yield
    await rest(task, challengers.busy)
    await challengers.finish()
    with suppress(SQLAlchemyError, OSError):
        await challengers.refresh()


extra = Extra(router=router, lifespan=lifespan, commands=commands)
