"""`--database`: one kind for a whole run, chosen before Django is there."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from tests import servers

started = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    folder = tempfile.mkdtemp(prefix="tests-")
    started.callback(shutil.rmtree, folder, ignore_errors=True)
    for name in ("ALLOWED_HOSTS", "BASE_URL", "DEBUG", "EMAIL_URL", "TRUSTED_PROXIES", "VALKEY_URL"):
        os.environ.pop(name, None)
    os.environ["DOTENV"] = os.devnull  # what is in .env is for the real one
    os.environ |= {"ENVIRONMENT": "test", "SECRET_KEY": secrets.token_hex(32), "DATA_DIR": folder}
    given = os.environ.pop("DATABASE_URL", "")
    if early_config.known_args_namespace.database == "postgresql":
        os.environ["DATABASE_URL"] = given or started.enter_context(servers.postgresql())
    yield


def pytest_unconfigure() -> None:
    started.close()
