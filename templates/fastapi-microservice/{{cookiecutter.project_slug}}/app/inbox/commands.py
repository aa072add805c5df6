"""The command that takes orders."""

import logging.config
from functools import partial

import typer

from app.commands import in_database, read_settings, refusal, until_stopped
from app.inbox.consumer import run
from app.telemetry import configuration

commands = typer.Typer()


@commands.command()
def consume() -> None:
    """Take orders from NATS until told to stop. Any number of them may run."""
    settings = read_settings()
    if settings.nats_url is None:
        raise refusal("NATS_URL is not set: that is where orders come from.")
    logging.config.dictConfig(configuration(settings))
    in_database(partial(until_stopped, partial(run, url=settings.nats_url)))
