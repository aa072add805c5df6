"""Many at once, by their own connections. On SQLite, which has one writer, they come one after the other."""

import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from reservations import services
from reservations.models import Reservation
from stock.models import Product
from stock.services import release_overdue
from tests.callers import Caller
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = "stock:read stock:write"
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="tested with --database postgresql")


def level(product: int) -> tuple[int, int]:
    return Product.objects.values_list("on_hand", "reserved").get(pk=product)


def test_of_twenty_at_once_one_gets_the_last() -> None:
    callers = [Caller(f"somebody {number}", BOTH) for number in range(20)]
    for _ in range(5):
        product = callers[0].product(on_hand=1)

        def hold(number: int, product: int = product) -> Any:
            return callers[number].holds(product)

        answers = together(hold, 20)
        assert Counter(each.status_code for each in answers) == {201: 1, 409: 19}
        assert {each.json()["type"] for each in answers if each.status_code == 409} == {"/problems/not-enough-stock"}
        assert level(product) == (1, 1)


def test_of_twenty_with_the_same_key_one_does_it_and_all_hear_the_same() -> None:
    ada = Caller("ada", BOTH)
    product = ada.product(on_hand=20)
    answers = together(lambda _: Caller("ada", BOTH).holds(product, Idempotency_Key="once"), 20)
    done = [each for each in answers if each.status_code == 201]
    assert {each.status_code for each in answers} <= {201, 409}
    assert {each.json()["type"] for each in answers if each not in done} <= {"/problems/request-in-progress"}
    assert len({(each.content, each["ETag"], each["Location"]) for each in done}) == 1
    assert level(product) == (20, 1)


def test_of_twenty_threads_exactly_so_many_may_ask(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMIT, settings.RATE_SECONDS = 50, 3600
    now = time.time()
    monkeypatch.setattr("config.limits.time.time", lambda: now)

    def ask(_: int) -> list[int]:
        return [Caller("ada", BOTH).ask("GET", "products").status_code for _ in range(4)]

    assert Counter(status for each in together(ask, 20) for status in each) == {200: 50, 429: 30}


def test_who_comes_second_waits_two_seconds_and_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    product = Caller("ada", BOTH).product(on_hand=5)
    begun, go_on = threading.Event(), threading.Event()
    hold = services.hold

    def held(**how: Any) -> Any:
        begun.set()
        go_on.wait(20)
        return hold(**how)

    def ask(_: int) -> Any:
        return Caller("ada", BOTH).holds(product, Idempotency_Key="once")

    monkeypatch.setattr(services, "hold", held)
    slow = threading.Thread(target=lambda: together(ask, 1))
    slow.start()
    assert begun.wait(20)
    began = time.monotonic()
    (second,) = together(ask, 1)
    took = time.monotonic() - began
    go_on.set()
    slow.join()
    # SQLite has one writer, and does not know which request it waits for.
    status, slug = (409, "request-in-progress") if connection.vendor == "postgresql" else (503, "unavailable")
    assert (second.status_code, second.json()["type"]) == (status, f"/problems/{slug}")
    assert int(second["Retry-After"]) >= 1
    assert 1.8 < took < 4
    assert Reservation.objects.count() == 1


def test_a_sku_is_of_one_product_however_many_want_it() -> None:
    body = {"sku": "TEA", "name": "Tea"}
    answers = together(lambda number: Caller(f"somebody {number}", BOTH).ask("POST", "products", body), 10)
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 9}


def test_of_ten_who_have_seen_the_same_one_changes_it() -> None:
    ada = Caller("ada", BOTH)
    product = ada.product()
    tag = ada.ask("GET", f"products/{product}")["ETag"]
    answers = together(
        lambda number: Caller("ada", BOTH).ask("PATCH", f"products/{product}", {"name": f"Tea {number}"}, If_Match=tag),
        10,
    )
    assert Counter(each.status_code for each in answers) == {200: 1, 412: 9}


@on_postgresql
def test_an_expired_one_is_released_once_by_however_many_who_need_it() -> None:
    ada = Caller("ada", BOTH)
    product = ada.product(on_hand=3)
    assert ada.holds(product, 3).status_code == 201
    Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answers = together(lambda number: Caller(f"somebody {number}", BOTH).holds(product), 10)
    assert Counter(each.status_code for each in answers) == {201: 3, 409: 7}
    assert level(product) == (3, 3)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@on_postgresql
def test_who_has_waited_for_a_product_sees_what_was_released_meanwhile() -> None:
    ada = Caller("ada", BOTH)
    product = ada.product(on_hand=10)
    ada.holds(product, 5)
    Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answers: list[Any] = []

    def change(_: int) -> None:
        answers.append(Caller("ada", BOTH).ask("PATCH", f"products/{product}", {"name": "Black tea"}, If_Match="*"))

    waits = threading.Thread(target=lambda: together(change, 1))
    with transaction.atomic():
        release_overdue(product)
        waits.start()
        while not somebody_waits():
            assert waits.is_alive()
            time.sleep(0.01)
    waits.join()
    assert (answers[0].status_code, answers[0].json()["reserved"]) == (200, 0)
    assert answers[0]["ETag"] == ada.ask("GET", f"products/{product}")["ETag"]


@on_postgresql
@pytest.mark.parametrize(("end", "state", "left"), [("confirm", "confirmed", (5, 0)), ("cancel", "cancelled", (10, 0))])
def test_who_ends_a_reservation_takes_its_product_first(end: str, state: str, left: tuple[int, int]) -> None:
    """As whoever releases what is overdue does. In the other order both would wait in a circle, at its last instant."""
    ada = Caller("ada", BOTH)
    product = ada.product(on_hand=10)
    reservation = ada.holds(product, 5).json()["id"]
    waits = threading.Thread(
        target=lambda: together(lambda _: Caller("ada", BOTH).ask("POST", f"reservations/{reservation}/{end}"), 1)
    )
    with transaction.atomic():
        release_overdue(product)  # has the product's row, until the end of the transaction
        waits.start()
        while not somebody_waits():
            assert waits.is_alive()
            time.sleep(0.01)
        assert Reservation.objects.select_for_update(nowait=True).get(pk=reservation).state == "held"
    waits.join()
    assert (Reservation.objects.get(pk=reservation).state, level(product)) == (state, left)


@on_postgresql
def test_nobody_waits_for_ever_for_whoever_hangs() -> None:
    ada = Caller("ada", BOTH)
    product = ada.product(on_hand=10)
    with transaction.atomic():
        release_overdue(product)  # and then nothing more is heard of it
        began = time.monotonic()
        (answer,) = together(lambda _: Caller("ada", BOTH).holds(product), 1)
        took = time.monotonic() - began
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert 4 < took < 15
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)
