"""What tests get: callers with tokens, products, and servers for what only a server can show."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.tokens import issue
from config import extras
from config.allowance import block_of
from tests.callers import Caller
from tests.processes import Processes, new_database

pytest_plugins = ["tests.browser.fixtures"]

BOTH = "stock:read stock:write"
HOUR = timedelta(hours=1)


# What of the suite is about extras, and how many of them: judged where they all are.
OF_EXTRAS = {"test_full_bulk.py": 1, "test_full_keys.py": 1, "test_full_reports.py": 1, "test_full_schema.py": 2}


def judged() -> list[ModuleType]:
    """What extras bring for the suite in `tests/contract/`."""
    return [import_module(name) for each in extras.APPS if find_spec(name := f"tests.{each}.judged")]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what judges an extra that is not here."""
    here = [name for module in judged() for name in module.JUDGED_BY]
    return True if here.count(collection_path.name) < OF_EXTRAS.get(collection_path.name, 0) else None


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    """Argon2 costs a third of a second, which is what it is for."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def nothing_taken() -> None:
    """Where the database forgets what was taken of an allowance, the process does."""
    block_of.cache_clear()


@pytest.fixture
def ada(db: None) -> Caller:
    """Who may read and write."""
    return Caller("ada", BOTH)


@pytest.fixture
def grace(db: None) -> Caller:
    """Somebody else who may."""
    return Caller("grace", BOTH)


@pytest.fixture
def reader(db: None) -> Caller:
    """Who may only read."""
    return Caller("reader", "stock:read")


@pytest.fixture
def anonymous(db: None) -> Caller:
    """Who shows nothing."""
    return Caller(None)


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Real commits, which other connections see."""


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """The API with a database and a folder of its own, as `tests/site.py` fills it."""
    folder = tmp_path_factory.mktemp("site")
    with new_database(folder) as url:
        found = Processes({"DATABASE_URL": url, "DATA_DIR": str(folder), "RATE_LIMIT": "1000000/60"})
        found.run("migrate", "-v0")
        found.run("shell", "-v0", "-c", "from tests.site import build; build()")
        yield found


@pytest.fixture(scope="session")
def contract_server(processes: Processes) -> Iterator[Mapping[str, Any]]:
    """What the suite in `tests/contract/` judges: two servers on one database, tokens, and what the extras add."""
    tokens = {
        "writer": issue("writer", scopes=BOTH, lasts=HOUR),
        "other": issue("other", scopes=BOTH, lasts=HOUR),
        "reader": issue("reader", scopes="stock:read", lasts=HOUR),
        "nobody": issue("nobody", scopes="", lasts=HOUR),
        "expired": issue("writer", scopes=BOTH, lasts=-HOUR),
    }
    with ExitStack() as stack:
        url = stack.enter_context(processes.serve())
        limited = stack.enter_context(processes.serve(RATE_LIMIT="20/60"))
        full: dict[str, Any] = {}
        for module in judged():
            full |= stack.enter_context(module.added(processes))
        # On SQLite who waits two seconds for the one writer is told to come again.
        alone = {"one_writer": connection.vendor == "sqlite"}
        yield {"url": url, "limited_url": limited, "tokens": tokens, "full": full} | alone
