"""Retention: what to do with old events, and after a backup was restored."""

from datetime import timedelta

import typer

from app.commands import in_database
from app.database import now
from app.extras import Extra
from app.retention import services

commands = typer.Typer()


@commands.command()
def prune(days: int) -> None:
    """Delete what happened more than so many days ago. For a daily timer."""
    gone = in_database(lambda database: services.prune(database, before=now() - timedelta(days=days)))
    typer.echo(f"{gone} events deleted.")


@commands.command()
def restored() -> None:
    """After a backup was restored: tell all clients that the log is another one."""
    in_database(services.begin_new_epoch)


extra = Extra(commands=commands)
