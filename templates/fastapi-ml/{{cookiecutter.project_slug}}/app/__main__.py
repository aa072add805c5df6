"""The commands: `uv run python -m app <command>`; `--help` lists them."""

import os
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError

from app import demo as demonstration
from app.commands import in_database, read_settings, refusal
from app.database import Database, migrate
from app.extras import all_extras
from app.inference.cards import Card
from app.inference.engine import digest
from app.keys import services as keys
from app.keys.services import Scope
from app.logging import configuration
from app.registry import services as registry
from app.registry.files import Files, once
from app.registry.models import Version
from app.settings import Settings

GRACE = timedelta(seconds=5)  # for running requests, once the server is told to stop

keys_ = typer.Typer(no_args_is_help=True, help="The keys that programs are let in with.")
cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.command()
def demo(port: Annotated[int | None, typer.Option(help="8000, or a free one when that is taken.")] = None) -> None:
    """See it work, from nothing: two versions of a model, in a database of their own in .demo/."""
    try:
        settings = demonstration.settings(port=port or free_port(preferred=8000))
    except demonstration.NotHereError as error:
        raise refusal(str(error)) from error
    migrate(settings)
    made = in_database(demonstration.load)
    typer.echo(demonstration.welcome(settings, made))
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
def register(name: str, file: Path, card: Annotated[Path, typer.Option(help="The JSON that training wrote.")]) -> None:
    """Register an ONNX file as a new version of a model. It is checked; nobody is served it yet."""
    content, settings = file.read_bytes(), read_settings()
    try:
        said = Card.model_validate_json(card.read_bytes())
    except ValidationError as error:
        raise refusal(*(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())) from error

    async def put(database: Database) -> Version:
        files, sha256 = Files(settings.model_folder), digest(content)
        await files.write(sha256, once(content))
        return await registry.register(database, files, name=name, sha256=sha256, card=said, by="command")

    version = in_database(put)
    typer.echo(f"{name} has version {version.number}, {version.sha256}, {version.stage}.")


@cli.command()
def promote(name: str, version: int) -> None:
    """Make a version the one that is served, after it passed its check. Servers change within two seconds."""
    files = Files(read_settings().model_folder)
    done = in_database(lambda database: registry.promote(database, files, name=name, number=version, by="command"))
    typer.echo(f"{name} is served by version {done.number}, since generation {done.generation}.")


@cli.command()
def roll_back(name: str) -> None:
    """Put the version back that the last change replaced."""
    files = Files(read_settings().model_folder)
    done = in_database(lambda database: registry.roll_back(database, files, name=name, by="command"))
    typer.echo(f"{name} is served by version {done.number}, since generation {done.generation}.")


@keys_.command("add")
def add_key(
    label: str,
    scope: Annotated[Scope, typer.Option(help="What it is for.")] = "predict",
    per_minute: Annotated[int, typer.Option(min=1, help="How often it may ask.")] = 6000,
    days: Annotated[int, typer.Option(min=1, help="For how long.")] = 90,
) -> None:
    """Make a key and print its secret, which nobody can read again. One of the same label ends."""
    settings, lasts = read_settings(), timedelta(days=days)
    if "secret_key" not in settings.model_fields_set:
        raise refusal("SECRET_KEY is not set: no server would know the key. See .env.example.")
    secret_key = settings.secret_key
    make = partial(keys.create_key, secret_key=secret_key, label=label, scope=scope, per_minute=per_minute, lasts=lasts)
    typer.echo(in_database(make))


@keys_.command("list")
def list_keys() -> None:
    """The keys, without their secrets."""
    for key in in_database(keys.keys):
        typer.echo(f"{key.label}  {key.scope}  {key.per_minute} a minute  until {key.expires_at:%Y-%m-%d}")


@keys_.command("revoke")
def revoke_key(label: str) -> None:
    """End a key. Servers know within two seconds."""
    in_database(lambda database: keys.revoke(database, label=label))


cli.add_typer(keys_, name="keys")
for extra in all_extras().values():
    if extra.commands:
        cli.add_typer(extra.commands)


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
