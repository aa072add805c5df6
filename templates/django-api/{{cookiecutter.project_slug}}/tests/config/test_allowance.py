"""How often a caller may ask."""

import re
import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from config.limits import used
from config.models import Use
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
def test_what_another_process_took_is_not_there(ada: Caller, settings: Settings) -> None:
    settings.RATE_LIMIT = 40
    assert left(ada.ask("GET", "products")) == 39
    used("request of 40", "ada", seconds=60, times=37)  # the other
    used("request of 4000", "ada", seconds=60, times=200)  # one that has another limit
    assert left(ada.ask("GET", "products")) == 38, "of what was taken nobody else takes any"
    answers = [ada.ask("GET", "products") for _ in range(3)]
    assert [(answer.status_code, left(answer)) for answer in answers] == [(200, 0), (429, 0), (429, 0)]


@pytest.mark.usefixtures("few")
def test_a_process_asks_the_database_for_a_twentieth_at_a_time(
    ada: Caller, settings: Settings, django_assert_num_queries: Any
) -> None:
    settings.RATE_LIMIT = 60
    ada.ask("GET", "products/0")
    # * twice the product, which is not there
    with django_assert_num_queries(2):
        assert [left(ada.ask("GET", "products/1")) for _ in range(2)] == [58, 57]
    # * take three more * the product
    with django_assert_num_queries(2):
        assert left(ada.ask("GET", "products/1")) == 56
