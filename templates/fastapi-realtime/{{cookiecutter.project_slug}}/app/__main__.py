"""The commands: `uv run python -m app <command>`; `--help` lists them."""

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import TypeAdapter, ValidationError

from app import demo as demonstration
from app.accounts import services as accounts
from app.accounts.schemas import Name, Password
from app.commands import in_database, read_settings, refusal
from app.database import migrate
from app.extras import all_extras, faults
from app.logging import configuration
from app.settings import Settings

GRACE = timedelta(seconds=2)  # for running requests and streams, once the server is told to stop

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.command()
def demo(port: Annotated[int | None, typer.Option(help="8000, or a free one when that is taken.")] = None) -> None:
    """See it work, from nothing: example people and rooms, in a database of their own in .demo/."""
    try:
        settings = demonstration.settings(port=port or free_port(preferred=8000))
    except demonstration.NotHereError as error:
        raise refusal(str(error)) from error
    migrate(settings)
    people = in_database(demonstration.load)
    typer.echo(demonstration.welcome(settings, people))
    uvicorn.run("app.asgi:app", **how_to_serve(settings))


@cli.command()
def dev() -> None:
    """Edit and see it reload: development settings, migrated first."""
    os.environ.setdefault("ENVIRONMENT", "development")
    settings = read_settings()
    # The one of `.env`, or one made here and not in each process, so that a reload signs nobody out.
    os.environ["SECRET_KEY"] = settings.secret_key.get_secret_value()
    migrate(settings)
    uvicorn.run("app.asgi:app", reload=True, reload_dirs=[str(Path(__file__).parent)], **how_to_serve(settings))


@cli.command()
def serve() -> None:
    """Serve in production. Refuses without SECRET_KEY and ALLOWED_HOSTS."""
    settings = read_settings()
    if found := settings.faults() + faults(settings):
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
    if deploy and (found := settings.faults() + faults(settings) + settings.warnings()):
        raise refusal(*found, code=1)
    typer.echo("All is well.")


@cli.command()
def adduser(name: str) -> None:
    """Make an account. Asks for the password."""
    password = ask_password(name)
    in_database(lambda database: accounts.create_user(database, name=name, password=password))


@cli.command()
def passwd(name: str) -> None:
    """Give somebody a new password, and sign them out everywhere."""
    password = ask_password(name)
    in_database(lambda database: accounts.set_password(database, name=name, password=password))


for extra in all_extras().values():
    if extra.commands:
        cli.add_typer(extra.commands)


def ask_password(name: str) -> str:
    """A password from the terminal, when both are fit to be used."""
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        TypeAdapter(tuple[Name, Password]).validate_python((name, password))
    except ValidationError as error:
        faulty = [f"{('Name', 'Password')[int(fault['loc'][0])]}: {fault['msg']}" for fault in error.errors()]
        raise refusal(*faulty) from error
    return password


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
        # Ours, which drain.
        "http": "app.server:Http",
        "ws": "app.server:WebSocket",
        "ws_max_size": 1024 * 1024,  # bytes that are taken in at all; /ws itself wants far shorter frames
        # Short messages gain nothing by it, and it would cost each of thousands of sockets its own window and work.
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": int(GRACE.total_seconds()),
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
