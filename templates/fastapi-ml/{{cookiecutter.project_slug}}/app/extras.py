"""The extras: features that a project may not want. To be without one, delete its line here and its folders."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from fastapi import APIRouter
from starlette.routing import Route
from typer import Typer

from app.database import Database
from app.state import State

NAMES: tuple[str, ...] = (
    "accounts",  # people who sign in, and change what is served at a page
    "admin",  # the registry over HTTP
    "challenger",  # another version beside the primary one
    "drift",  # whether what is asked is what was learned from
    "explain",  # what each input contributed
    "journal",  # what was foretold, to whom
    "limits",  # how often somebody may ask, across processes
    "metrics",  # /metrics, for Prometheus
    "plain",  # a JSON route and a form with a field for each input
    "training",  # the example's two models
    "triton",  # Triton's extensions to the protocol
)


@dataclass(frozen=True)
class Extra:
    """What an extra adds; `app/<name>/extra.py` makes it, as `extra`."""

    router: APIRouter | None = None
    # Routes that are asked so often that they are found first, and are Starlette's own.
    short_cuts: tuple[Route, ...] = ()
    # Entered when the process starts, with everything that it has; left before the database is closed.
    lifespan: Callable[[State], AbstractAsyncContextManager[None]] | None = None
    # Commands, beside those of `app/__main__.py`.
    commands: Typer | None = None
    # What `demo` prints beside the address: somebody to be, and with which password. Called once.
    demo: Callable[[Database], Awaitable[dict[str, str]]] | None = None
    # Pages for people: the address, and what the link to it says.
    pages: tuple[tuple[str, str], ...] = ()


@cache
def all_extras() -> dict[str, Extra]:
    """The extras by name. Importing them registers their tables too."""
    return {name: import_module(f"app.{name}.extra").extra for name in NAMES}
