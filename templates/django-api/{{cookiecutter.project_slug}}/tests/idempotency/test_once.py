"""Doing things once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from idempotency.errors import InProgress
from idempotency.models import StoredAnswer
from idempotency.services import alone, fingerprint
from reservations.models import Reservation
from stock.models import Product
from tests.callers import Caller


def test_a_key_lives_for_a_day(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    first = ada.holds(product, Idempotency_Key="k")
    StoredAnswer.objects.filter(key="k").update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert ada.holds(product, Idempotency_Key="k").content == first.content
    StoredAnswer.objects.filter(key="k").update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    again = ada.holds(product, Idempotency_Key="k")
    assert (again.status_code, again.json()["id"] == first.json()["id"]) == (201, False)


def test_housekeeping_forgets_what_is_older(ada: Caller) -> None:
    ada.holds(ada.product(on_hand=5))
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    call_command("housekeeping")
    assert StoredAnswer.objects.count() == 0


def test_the_same_json_is_the_same_and_another_is_not() -> None:
    same = fingerprint("POST", "/x", {"a": 1, "b": [1, {"c": None}]})
    assert same == fingerprint("POST", "/x", {"b": [1, {"c": None}], "a": 1})
    others = [
        ("PUT", "/x", {"a": 1}),
        ("POST", "/y", {"a": 1}),
        ("POST", "/x", {"a": True}),
        ("POST", "/x", {"a": "1"}),
    ]
    assert len({fingerprint(*each) for each in [*others, ("POST", "/x", {"a": 1}), ("POST", "/x", {"a": 1.0})]}) == 6


@contextmanager
def broken_commits(error: Exception) -> Iterator[None]:
    """A database that takes everything, and then does not keep it. What counts requests is committed all the same."""

    def commit(_: Any) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.db.backends.base.base.BaseDatabaseWrapper._commit", commit)
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (DatabaseError("broken"), 500)])
def test_a_commit_that_fails_is_never_a_success(committed: None, error: Exception, status: int) -> None:
    ada = Caller("ada", "stock:read stock:write")
    product = ada.product(on_hand=5)
    reservation = ada.holds(product).json()["id"]
    stored = StoredAnswer.objects.count()
    asked: list[Callable[[], Any]] = [
        lambda: ada.holds(product, Idempotency_Key="again"),
        lambda: ada.moves(product, "issue", 1, Idempotency_Key="move"),
        lambda: ada.ask("POST", f"reservations/{reservation}/confirm", Idempotency_Key="confirm"),
        lambda: ada.ask("POST", f"reservations/{reservation}/cancel", Idempotency_Key="cancel"),
        lambda: ada.ask("POST", "products", {"sku": "NEW", "name": "New"}),
        lambda: ada.ask("PATCH", f"products/{product}", {"name": "New"}, If_Match="*"),
    ]
    for ask in asked:
        with broken_commits(error):
            answer = ask()
        assert answer.status_code == status, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        assert status != 503 or answer["Retry-After"]
    assert StoredAnswer.objects.count() == stored
    assert (Product.objects.count(), Reservation.objects.count()) == (1, 1)
    assert Product.objects.values_list("on_hand", "reserved", "name").get() == (5, 1, "Green tea")
    again = ada.holds(product, Idempotency_Key="again")
    assert again.status_code == 201, "the key may be used again"


def test_what_breaks_in_the_middle_leaves_nothing(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    product = ada.product(on_hand=5)

    def breaks(**_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("idempotency.services.StoredAnswer.objects.create", breaks)
        assert ada.holds(product, Idempotency_Key="k").status_code == 500
    assert Reservation.objects.count() == 0
    assert ada.holds(product, Idempotency_Key="k").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_longer_than_two_seconds_for_whoever_has_the_key(committed: None) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with alone("ada", "k"):
            begun.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(20)
    began = time.monotonic()
    # SQLite does not know whom it waits for: 503 and not 409.
    refused = InProgress if connection.vendor == "postgresql" else OperationalError
    with pytest.raises(refused), alone("ada", "k"):
        pass
    assert 1.8 < time.monotonic() - began < 5
    go_on.set()
    thread.join()
    with alone("ada", "k"):
        pass
