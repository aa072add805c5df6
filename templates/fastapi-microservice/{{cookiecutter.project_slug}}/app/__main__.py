"""The commands: `uv run python -m app <command>`; `--help` lists them."""

import logging.config
import math
import os
import socket
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from app import demo as demonstration
from app import housekeeping
from app.auth.issuer import SCOPES, issue
from app.commands import in_database, read_settings, refusal, until_stopped
from app.database import migrate
from app.extras import all_extras
from app.settings import Settings
from app.telemetry import configuration

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.command()
def demo(port: Annotated[int | None, typer.Option(help="8000, or a free one when that is taken.")] = None) -> None:
    """See it work, from nothing: products with stock, in a database of their own in .demo/."""
    try:
        settings = demonstration.settings(port=port or free_port(preferred=8000))
    except demonstration.NotHereError as error:
        raise refusal(str(error)) from error
    migrate(settings)
    in_database(demonstration.load)
    typer.echo(demonstration.welcome(settings))
    uvicorn.run("app.asgi:app", **how_to_serve(settings))


@cli.command()
def dev() -> None:
    """Edit and see it reload: development settings, migrated first."""
    os.environ.setdefault("ENVIRONMENT", "development")
    settings = read_settings()
    # The one of `.env`, or one made here and not in each process, so that a reload ends no token.
    os.environ["SECRET_KEY"] = settings.secret_key.get_secret_value()
    migrate(settings)
    uvicorn.run("app.asgi:app", reload=True, reload_dirs=[str(Path(__file__).parent)], **how_to_serve(settings))


@cli.command()
def serve() -> None:
    """Serve in production. Refuses without SECRET_KEY, ALLOWED_HOSTS and JWKS_URL."""
    settings = read_settings()
    if found := settings.faults():
        raise refusal(*found)
    uvicorn.run("app.asgi:app", **how_to_serve(settings))


@cli.command("migrate")
def migrate_() -> None:
    """Bring the database's schema to the newest migration."""
    migrate(read_settings())


@cli.command()
def check(deploy: Annotated[bool, typer.Option(help="Whether it is fit to be served in public.")] = False) -> None:
    """Check the settings."""
    settings = read_settings()
    if deploy and (found := settings.faults() + settings.warnings()):
        raise refusal(*found, code=1)
    typer.echo("All is well.")


@cli.command()
def token(
    subject: str,
    scope: Annotated[str, typer.Option(help="Words with a space between.")] = " ".join(SCOPES),
    minutes: Annotated[int, typer.Option(help="For how long.")] = 60,
) -> None:
    """Print a token for development. In production nobody believes it."""
    settings = read_settings()
    if "secret_key" not in settings.model_fields_set:
        raise refusal("SECRET_KEY is not set: no server would know the token. See .env.example.")
    typer.echo(issue(settings, subject, scope=scope, lasts=timedelta(minutes=minutes)))


@cli.command()
def relay() -> None:
    """Publish what is in the outbox, to NATS or into a file, until told to stop. Any number of them may run."""
    from app.outbox.publishers import publisher  # noqa: PLC0415  no other command needs NATS
    from app.outbox.relay import run  # noqa: PLC0415

    settings = read_settings()
    logging.config.dictConfig(configuration(settings))
    in_database(partial(until_stopped, partial(run, publisher=publisher(settings))))


@cli.command()
def sweep() -> None:
    """Give back what is overdue and forget what nobody asks for any more. To be run every few minutes."""
    for words, number in in_database(housekeeping.sweep).items():
        typer.echo(f"{number} {words}")


for extra in all_extras().values():
    if extra.commands:
        cli.add_typer(import_module(extra.commands).commands)


def how_to_serve(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told in every case. Each of its processes reads the settings for itself."""
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.web_concurrency,
        "log_config": configuration(settings),
        "access_log": False,  # app.logging writes it, without query strings
        "proxy_headers": False,  # app.security believes TRUSTED_PROXIES only
        "server_header": False,
        "ws": "none",
        "timeout_graceful_shutdown": math.ceil(settings.deadline_seconds) + 1,  # what runs has its own deadline
    }


def free_port(*, preferred: int) -> int:
    """The preferred port, or any other when somebody has that."""
    try:
        with socket.create_server(("127.0.0.1", preferred)) as candidate:
            return int(candidate.getsockname()[1])
    except OSError:
        return free_port(preferred=0)


if __name__ == "__main__":
    cli()
