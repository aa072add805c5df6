"""Several at once: in their order, all or none, and nobody waits in a circle."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection

from reservations.models import Reservation
from stock.models import Movement, Product
from tests.callers import Caller
from tests.conftest import BOTH
from tests.together import together


def level(product: int) -> tuple[int, int]:
    return Product.objects.values_list("on_hand", "reserved").get(pk=product)


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
        ({"items": [{"product_id": 1, "quantity": 1, "non_field_errors": 1}]}, "#/items/0/non_field_errors"),
        ({"items": [7]}, "#/items/0"),
        ({}, "#/items"),
    ],
)
def test_what_is_wrong_with_several_is_named_where_it_stands(ada: Caller, body: object, pointer: str) -> None:
    refused = ada.ask("POST", "reservations/bulk", body)
    assert (refused.status_code, [each["pointer"] for each in refused.json()["errors"]]) == (422, [pointer])


# Serialized as the first one of tests/config/: Django takes no such test after others with a transaction of their own.
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nobody_waits_in_a_circle() -> None:
    """Two products, taken in both orders at once, with confirming, cancelling and issuing in between."""
    ada = Caller("ada", BOTH)
    products = [ada.product(on_hand=500) for _ in range(2)]

    class Patient(Caller):
        """Comes again when told to: on SQLite who waits two seconds for the others is."""

        def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
            while (answer := super().ask(method, path, body, **headers)).status_code == 503:
                assert connection.vendor == "sqlite", answer.content
            return answer

    def act(number: int) -> list[int]:
        caller, statuses = Patient("ada", BOTH), []
        for turn in range(6):
            wanted = products if (number + turn) % 2 else products[::-1]
            body = {"items": [{"product_id": each, "quantity": 1} for each in wanted]}
            made = caller.ask("POST", "reservations/bulk", body)
            statuses.append(made.status_code)
            first, second = (each["id"] for each in made.json()["items"])
            statuses.append(caller.ask("POST", f"reservations/{first}/confirm").status_code)
            statuses.append(caller.ask("POST", f"reservations/{second}/cancel").status_code)
            statuses.append(caller.moves(wanted[1], "issue", 1).status_code)
        return statuses

    statuses = [status for each in together(act, 10) for status in each]
    assert Counter(statuses) == {200: 120, 201: 120}
    for product in products:
        on_hand, reserved = level(product)
        assert reserved == 0
        assert on_hand == sum(Movement.objects.filter(product=product).values_list("change", flat=True))
    assert sum(level(product)[0] for product in products) == 1000 - 60 - 60
