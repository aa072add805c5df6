"""What tests get: something to sell, and people."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client, TestCase
from pytest_django.fixtures import Settings

from accounts.models import User
from catalogue.models import Variant
from orders.models import ShippingMethod
from tests.processes import Processes, new_database
from tests.shelf import PASSWORD, make_variant, make_ways

pytest_plugins = ["tests.browser.fixtures"]


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path: Path) -> None:
    """Each test has its pictures to itself."""
    settings.MEDIA_ROOT = tmp_path / "uploads"


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    """Argon2 costs a third of a second, which is what it is for; the tests have hundreds of people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


type Commits = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def commits() -> Commits:
    """`with commits():` does at its end what waits for a commit: a test is one transaction that has none."""
    return lambda: TestCase.captureOnCommitCallbacks(execute=True)


@pytest.fixture
def method(db: None) -> ShippingMethod:
    return make_ways()


@pytest.fixture
def variant(method: ShippingMethod) -> Variant:
    """Ten of it, ten euros each."""
    return make_variant()


def make_person(email: str = "ada@example.org", role: str = "", *, staff: bool = False) -> User:
    person = User.objects.create_user(email, PASSWORD, is_staff=staff or bool(role))
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    if role:
        person.groups.add(Group.objects.get(name=role))
    return person


@pytest.fixture
def ada(db: None) -> User:
    return make_person()


@pytest.fixture
def signed_in(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


type Staff = Callable[[str], Client]


@pytest.fixture
def staff(db: None) -> Staff:
    """`staff("Finance")`: somebody with that role, signed in."""

    def made(role: str) -> Client:
        client = Client()
        client.force_login(make_person(f"{role.lower()}@example.org", role))
        return client

    return made


@pytest.fixture
def counted(db: None) -> Iterator[None]:
    """Guesses that were counted in another test are not of this one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Real commits, which other connections see."""


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A shop with a database and a folder of its own, as `tests/site.py` builds it."""
    folder = tmp_path_factory.mktemp("shop")
    with new_database(folder) as url:
        found = Processes({"DATABASE_URL": url, "DATA_DIR": str(folder), "TASKS": "database"})
        found.run("migrate", "-v0")
        found.run("shell", "-v0", "-c", "from tests.site import build; build()")
        yield found
