"""The extras: features that a project may not want. To be without one, delete its line here and its folders."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from fastapi import APIRouter

from app.state import State

NAMES: tuple[str, ...] = (
    "inbox",  # orders that others placed
    "upstream",  # when a supplier has more
)


@dataclass(frozen=True)
class Extra:
    """What an extra adds; `app/<name>/extra.py` makes it, as `extra`."""

    router: APIRouter | None = None
    # Entered when the process starts, with everything that it has; left before the database is closed.
    lifespan: Callable[[State], AbstractAsyncContextManager[None]] | None = None
    # The module whose `commands` stand beside those of `app/__main__.py`; no server imports it.
    commands: str | None = None


@cache
def all_extras() -> dict[str, Extra]:
    """The extras by name. Importing them registers their tables too."""
    return {name: import_module(f"app.{name}.extra").extra for name in NAMES}
