"""Reservations: states, and what housekeeping does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import Entry
from reservations.models import Reservation
from stock.models import Product
from tests.callers import Caller


def level(product: int) -> tuple[int, int]:
    return Product.objects.values_list("on_hand", "reserved").get(pk=product)


def over() -> None:
    """The time of all that is held has come to its end."""
    Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_product_stays_that_has_nothing_but_a_reservation(ada: Caller) -> None:
    product = Product.objects.get(pk=ada.product())
    now = timezone.now()
    Reservation.objects.create(product=product, holder="ada", quantity=1, expires_at=now, created_at=now)
    refused = ada.ask("DELETE", f"products/{product.pk}", If_Match="*")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/product-in-use")
    assert Reservation.objects.count() == 1


def test_a_state_is_what_it_is_now(ada: Caller) -> None:
    product = ada.product(on_hand=9)
    ids = [ada.holds(product).json()["id"] for _ in range(4)]
    ada.ask("POST", f"reservations/{ids[0]}/confirm")
    ada.ask("POST", f"reservations/{ids[1]}/cancel")
    Reservation.objects.filter(pk=ids[2]).update(expires_at=timezone.now() - timedelta(seconds=1))
    for place, state in enumerate(("confirmed", "cancelled", "expired", "held")):
        assert [each["id"] for each in ada.gets(f"reservations?state={state}")["items"]] == [ids[place]]
        assert ada.gets(f"reservations/{ids[place]}")["state"] == state
    assert len(ada.gets(f"reservations?product_id={product}")["items"]) == 4
    assert ada.gets(f"reservations?product_id={product + 1}")["items"] == []


def test_housekeeping_releases_what_is_overdue_and_says_so(ada: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    products = [ada.product(on_hand=5) for _ in range(2)]
    for product in products:
        ada.holds(product, 2)
        ada.holds(product, 1)
    over()
    call_command("housekeeping")
    assert "products with overdue reservations: 2" in capsys.readouterr().out
    assert [level(each) for each in products] == [(5, 0), (5, 0)]
    assert {*Reservation.objects.values_list("state", flat=True)} == {"expired"}
    call_command("housekeeping")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("asked", ["confirm", "cancel"])
def test_what_is_over_is_closed_though_nobody_has_noticed(ada: Caller, asked: str) -> None:
    product = ada.product(on_hand=5)
    reservation = ada.holds(product, 2).json()["id"]
    over()
    refused = ada.ask("POST", f"reservations/{reservation}/{asked}")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/reservation-closed")
    assert ada.gets(f"products/{product}")["available"] == 5


def test_who_confirms_and_cancels_is_written_down(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    for asked in ("confirm", "cancel"):
        reservation = ada.holds(product).json()["id"]
        ada.ask("POST", f"reservations/{reservation}/{asked}")
        entry = Entry.objects.latest("pk")
        assert (entry.principal, entry.action) == ("ada", f"{asked} reservation")
        assert entry.about == f"reservation {reservation}"


def test_there_is_no_body_where_none_is_named(ada: Caller) -> None:
    reservation = ada.holds(ada.product(on_hand=1)).json()["id"]
    assert ada.ask("POST", f"reservations/{reservation}/confirm", {"quantity": 1}).status_code == 422
    assert ada.gets(f"reservations/{reservation}")["state"] == "held"
