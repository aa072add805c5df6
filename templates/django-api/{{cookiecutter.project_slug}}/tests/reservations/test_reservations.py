"""Reservations: bulk, states, and what housekeeping does."""

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


def test_several_are_put_aside_in_the_order_in_which_they_were_asked_for(ada: Caller) -> None:
    products = [ada.product(on_hand=5) for _ in range(3)][::-1]
    body = {
        "items": [{"product_id": each, "quantity": 1 + place} for place, each in enumerate(products)],
        "expires_in": 60,
    }
    made = ada.ask("POST", "reservations/bulk", body)
    assert made.status_code == 201
    assert [(each["product_id"], each["quantity"]) for each in made.json()["items"]] == [
        (products[0], 1), (products[1], 2), (products[2], 3),
    ]  # fmt: skip
    assert [level(each)[1] for each in products] == [1, 2, 3]


def test_of_several_all_are_put_aside_or_none(ada: Caller) -> None:
    plenty, few = ada.product(on_hand=9), ada.product(on_hand=1)
    items = [{"product_id": product, "quantity": 2} for product in (plenty, few, plenty)]
    refused = ada.ask("POST", "reservations/bulk", {"items": items})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-enough-stock")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["#/items/1"]
    assert (level(plenty), level(few)) == ((9, 0), (1, 0))
    refused = ada.ask("POST", "reservations/bulk", {"items": [*items, {"product_id": 2**62, "quantity": 1}]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/items/3/product_id")
    assert Reservation.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": []}, "#/items"),
        ({"items": "x"}, "#/items"),
        ({"items": [{"product_id": 1, "quantity": 1}] * 101}, "#/items"),
        ({"items": [{"product_id": 1, "quantity": 1}, {"product_id": 1, "quantity": "1"}]}, "#/items/1/quantity"),
        ({"items": [{"product_id": 1, "quantity": 1, "expires_in": 5}]}, "#/items/0/expires_in"),
        ({"items": [7]}, "#/items/0"),
        ({}, "#/items"),
    ],
)
def test_what_is_wrong_with_several_is_named_where_it_stands(ada: Caller, body: object, pointer: str) -> None:
    refused = ada.ask("POST", "reservations/bulk", body)
    assert (refused.status_code, [each["pointer"] for each in refused.json()["errors"]]) == (422, [pointer])


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
