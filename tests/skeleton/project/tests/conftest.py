"""What tests get: a database that is theirs, of the kind that `--database` names."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.db import connections
from environs import Env
from pytest_django.fixtures import Settings

from tests import servers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption("database") == "sqlite":
        yield
        return
    with servers.postgresql() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_DATABASE_URL", url)
        del connections["default"]
        kept = django_settings.DATABASES["default"]
        kept.clear()
        kept.update(Env().dj_db_url("TEST_DATABASE_URL"))
        connections.configure_settings(django_settings.DATABASES)
        yield


@pytest.fixture(autouse=True)
def plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
