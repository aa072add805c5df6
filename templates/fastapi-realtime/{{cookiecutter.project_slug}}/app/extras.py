"""The extras: features that a project may not want. To be without one, delete its line here and its folders."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from fastapi import APIRouter
from typer import Typer

from app.broker import Broker
from app.settings import Settings
from app.state import State

NAMES: tuple[str, ...] = (
    "brokers",  # news between processes at once: PostgreSQL, Valkey or NATS
    "documents",  # a shared document per room
    "edits",  # changing and deleting what was said
    "metrics",  # /metrics, for Prometheus
    "presence",  # who is there, who is typing
    "retention",  # deleting what is old; restored backups
    "streams",  # server-sent events, where sockets do not get through
    "tokens",  # bearer tokens for programs
)


@dataclass(frozen=True)
class Extra:
    """What an extra adds; `app/<name>/extra.py` makes it, as `extra`."""

    router: APIRouter | None = None
    # Entered when the process starts, with everything that it has; left before the database is closed.
    lifespan: Callable[[State], AbstractAsyncContextManager[None]] | None = None
    # What carries hints between processes, when the settings want it; and what is wrong with the settings.
    broker: Callable[[Settings], Broker | None] | None = None
    faults: Callable[[Settings], list[str]] | None = None
    # Commands, beside those of `app/__main__.py`.
    commands: Typer | None = None
    # Modules and styles for the page, served at /static/<name>/.
    static: Path | None = None


@cache
def all_extras() -> dict[str, Extra]:
    """The extras by name. Importing them registers their tables too."""
    return {name: import_module(f"app.{name}.extra").extra for name in NAMES}


def choose_broker(settings: Settings) -> Broker:
    """The broker of an extra that has one for these settings, else the one that stays within the process."""
    made = (extra.broker(settings) for extra in all_extras().values() if extra.broker)
    return next((broker for broker in made if broker), Broker())


def faults(settings: Settings) -> list[str]:
    """What extras find wrong with the settings, a sentence each."""
    return [fault for extra in all_extras().values() if extra.faults for fault in extra.faults(settings)]
