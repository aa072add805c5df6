"""How often a caller may ask."""

import re
import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from config.allowance import valkey
from config.models import Use
from tests import servers
from tests.callers import Caller


@pytest.fixture
def few(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three requests in a minute that does not end meanwhile."""
    settings.RATE_LIMIT, settings.RATE_SECONDS = 3, 60
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)


def seconds() -> int:
    """How long this minute still lasts."""
    return 60 - int(time.time()) % 60


def left(answer: Any) -> int:
    found = re.fullmatch(rf'"default";r=(\d+);t={seconds()}', answer["RateLimit"])
    assert found
    return int(found[1])


def spend(caller: Caller, other: Caller) -> None:
    """All that there is, and once more; nobody else pays for it."""
    for expected in (2, 1, 0):
        answer = caller.ask("GET", "products")
        assert (answer.status_code, left(answer), answer["RateLimit-Policy"]) == (200, expected, '"default";q=3;w=60')
    answer = caller.ask("GET", "products")
    assert (answer.status_code, left(answer), answer["Retry-After"]) == (429, 0, str(seconds()))
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert left(other.ask("GET", "products")) == 2


@pytest.mark.usefixtures("few")
def test_beyond_the_allowance_one_waits_and_nobody_else_does(ada: Caller, grace: Caller) -> None:
    spend(ada, grace)
    assert "ada" not in "".join(Use.objects.values_list("key", flat=True))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("path", ["products/0", "products?x=1", "reservations/1"])
def test_what_is_refused_is_counted_and_told_too(ada: Caller, path: str) -> None:
    assert left(ada.ask("GET", path)) == 2
    assert left(ada.ask("DELETE", "products")) == 1
    assert left(Caller("ada", "").ask("GET", "products")) == 0


@pytest.mark.usefixtures("few")
def test_who_is_not_known_has_none_and_spends_none(anonymous: Caller) -> None:
    for _ in range(5):
        answer = anonymous.ask("GET", "products")
        assert (answer.status_code, "RateLimit" in answer) == (401, False)
    assert Use.objects.count() == 0


@pytest.mark.usefixtures("few")
def test_valkey_counts_where_there_is_one_and_the_database_where_it_is_gone(
    ada: Caller, grace: Caller, settings: Settings
) -> None:
    with servers.valkey() as url:
        settings.VALKEY_URL = url
        valkey.cache_clear()
        spend(ada, grace)
        assert Use.objects.count() == 0
    assert left(ada.ask("GET", "products")) == 2
    assert Use.objects.count() == 1
    valkey().close()
    valkey.cache_clear()
