"""Many at once: never more reserved than there is."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from .caller import Caller, Json, sku, together


def adds_up(writer: Caller, product_id: int, reservations: list[Json]) -> Json:
    """The product; fail unless its movements and the reservations add up to what it says."""
    product = writer.stock(product_id)
    movements = writer.everything("listMovements", product_id=product_id)[::-1]
    level = 0
    for each in movements:
        level += each["change"]
        assert each["on_hand"] == level >= 0, f"the ledger is broken at {each}"
    states = [writer.reads("readReservation", reservation_id=each["id"]) for each in reservations]
    held = sum(each["quantity"] for each in states if each["state"] == "held")
    assert (product["on_hand"], product["reserved"]) == (level, held)
    assert product["available"] == level - held >= 0
    confirmed = Counter(each["id"] for each in states if each["state"] == "confirmed")
    assert Counter(each["reservation_id"] for each in movements if each["reservation_id"]) == confirmed
    return product


def test_of_thirty_one_gets_the_last(writer: Caller) -> None:
    for _ in range(3):
        product = writer.product(on_hand=1)
        hold = partial(writer.ask, "holdStock", json={"product_id": product["id"], "quantity": 1})
        answers = together(*[hold] * 30)
        got = [each.json() for each in answers if each.status_code == 201]
        refused = [each for each in answers if each.status_code != 201]
        assert len(got) == 1
        for each in refused:
            writer.is_problem(each, "not-enough-stock")
        assert adds_up(writer, product["id"], got)["available"] == 0


def test_of_thirty_ten_get_what_there_is_for_ten(writer: Caller, other: Caller) -> None:
    product = writer.product(on_hand=20)
    holds = [
        partial(caller.ask, "holdStock", json={"product_id": product["id"], "quantity": 2})
        for caller in (writer, other) * 15
    ]
    answers = together(*holds)
    assert Counter(each.status_code for each in answers) == {201: 10, 409: 20}
    assert writer.stock(product["id"])["available"] == 0


def test_what_is_issued_and_what_is_put_aside_at_once_is_not_the_same(writer: Caller) -> None:
    for _ in range(3):
        product = writer.product(on_hand=10)
        hold = partial(writer.ask, "holdStock", json={"product_id": product["id"], "quantity": 1})
        issue = partial(writer.ask, "moveStock", product_id=product["id"], json={"kind": "issue", "quantity": 1})
        answers = together(*[hold, issue] * 15)
        assert Counter(each.status_code for each in answers) == {201: 10, 409: 20}
        got = [each.json() for each in answers if each.status_code == 201]
        adds_up(writer, product["id"], [each for each in got if "expires_at" in each])


@pytest.mark.parametrize(
    "asked", [["confirmReservation"], ["cancelReservation"], ["confirmReservation", "cancelReservation"]]
)
def test_a_reservation_ends_once(writer: Caller, asked: list[str]) -> None:
    for _ in range(3):
        product = writer.product(on_hand=3)
        reservation = writer.holds(product["id"], 2)
        errands = [partial(writer.ask, name, reservation_id=reservation["id"]) for name in asked * (20 // len(asked))]
        answers = together(*errands)
        assert Counter(each.status_code for each in answers) == {200: 1, 409: 19}
        (ended,) = (each.json()["state"] for each in answers if each.status_code == 200)
        assert writer.reads("readReservation", reservation_id=reservation["id"])["state"] == ended
        assert adds_up(writer, product["id"], [reservation])["on_hand"] == (1 if ended == "confirmed" else 3)


def test_a_sku_is_of_one_product_however_many_want_it(writer: Caller) -> None:
    for _ in range(3):
        create = partial(writer.ask, "createProduct", json={"sku": sku(), "name": "Tea"})
        answers = together(*[create] * 10)
        assert Counter(each.status_code for each in answers) == {201: 1, 409: 9}


def test_a_product_is_deleted_or_used(writer: Caller) -> None:
    for _ in range(5):
        product = writer.product()
        headers = {"If-Match": "*"}
        delete = partial(writer.ask, "deleteProduct", product_id=product["id"], headers=headers)
        receive = partial(writer.ask, "moveStock", product_id=product["id"], json={"kind": "receive", "quantity": 1})
        answers = together(delete, receive, receive)
        deleted, *received = [each.status_code for each in answers]
        assert deleted in (204, 409)
        assert set(received) == ({404} if deleted == 204 else {201})


def test_a_crowd_that_does_everything_at_once_leaves_it_whole(writer: Caller, other: Caller) -> None:
    """Hold, confirm, cancel, issue, receive and correct, sixteen at once on two products, while others look."""
    products = [writer.product(on_hand=12)["id"] for _ in range(2)]
    reservations: list[Json] = []

    def one(seed: int) -> Callable[[], None]:
        chance = random.Random(seed)  # noqa: S311  chance, not secrecy

        def act() -> None:
            for _ in range(12):
                product = chance.choice(products)
                match chance.randrange(6):
                    case 0 | 1:
                        body = {"product_id": product, "quantity": chance.randint(1, 4)}
                        response = writer.ask("holdStock", json=body)
                        if response.status_code == 201:
                            reservations.append(response.json())
                    case 2 if reservations:
                        reservation = chance.choice(reservations)["id"]
                        response = writer.ask("confirmReservation", reservation_id=reservation)
                    case 3 if reservations:
                        reservation = chance.choice(reservations)["id"]
                        response = writer.ask("cancelReservation", reservation_id=reservation)
                    case 4:
                        kind, quantity = chance.choice([("receive", 2), ("issue", 2), ("correct", -1), ("correct", 1)])
                        body = {"kind": kind, "quantity": quantity}
                        response = writer.ask("moveStock", product_id=product, json=body)
                    case _:
                        response = other.ask("readProduct", product_id=product)
                        seen = response.json()
                        assert seen["available"] == seen["on_hand"] - seen["reserved"] >= 0
                assert response.status_code in (200, 201, 409), response.text

        return act

    together(*(one(seed) for seed in range(16)))
    for product in products:
        adds_up(writer, product, [each for each in reservations if each["product_id"] == product])
