"""A bulk hold: all or none, in whatever order others ask."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from . import contract
from .caller import Caller, together
from .conftest import calling


@pytest.fixture(scope="session")
def caller(judged: dict[str, Any]) -> Iterator[Caller]:
    """Who may read and write, and knows full.yaml."""
    yield from calling(judged, contract.full(), "writer")


def items(*pairs: tuple[int, int]) -> dict[str, object]:
    return {"items": [{"product_id": product, "quantity": quantity} for product, quantity in pairs]}


def test_all_are_put_aside(caller: Caller) -> None:
    first, second = caller.product(on_hand=3), caller.product(on_hand=4)
    body = items((second["id"], 1), (first["id"], 3), (second["id"], 2)) | {"expires_in": 60}
    made = caller.reads("holdMany", 201, json=body)["items"]
    assert [(each["product_id"], each["quantity"], each["state"]) for each in made] == [
        (second["id"], 1, "held"),
        (first["id"], 3, "held"),
        (second["id"], 2, "held"),
    ]
    assert made[0] == caller.reads("readReservation", reservation_id=made[0]["id"])
    assert (caller.stock(first["id"])["available"], caller.stock(second["id"])["available"]) == (0, 1)


def test_or_none(caller: Caller) -> None:
    first, second, third = (caller.product(on_hand=3) for _ in range(3))
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = items((first["id"], 3), (second["id"], 4), (third["id"], 1))
    caller.refused("holdMany", "not-enough-stock", at="#/items/1", json=body, headers=headers)
    caller.refused("holdMany", "not-enough-stock", json=items((first["id"], 2), (first["id"], 2)))
    for product in (first, second, third):
        assert caller.stock(product["id"]) == product
    caller.moves(second["id"], "receive", 1)
    done = caller.gets("holdMany", 201, json=body, headers=headers)
    assert caller.ask("holdMany", json=body, headers=headers).content == done.content
    assert caller.stock(third["id"])["reserved"] == 1


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"items": []}, "#/items"),
        ({"items": {}}, "#/items"),
        ({}, "#/items"),
        (items(*[(2**62, 1)] * 101), "#/items"),
        (items((2**62, 1)), "#/items/0/product_id"),
        ({"items": [{"product_id": 1, "quantity": 0}]}, "#/items/0/quantity"),
        ({"items": [{"product_id": 1}]}, "#/items/0/quantity"),
        ({"items": [{"product_id": 1, "quantity": 1, "x": 1}]}, "#/items/0/x"),
        ({"items": ["tea"]}, "#/items/0"),
        (items((1, 1)) | {"expires_in": 0}, "#/expires_in"),
        (items((1, 1)) | {"x": 0}, "#/x"),
    ],
)
def test_a_wrong_bulk_is_refused_where_it_is_wrong(caller: Caller, body: object, at: str) -> None:
    caller.refused("holdMany", "invalid", at=at, json=body)


def test_in_whatever_order_nobody_waits_for_ever_and_nothing_is_sold_twice(caller: Caller) -> None:
    products = [caller.product(on_hand=10)["id"] for _ in range(4)]
    chance = random.Random(7)  # noqa: S311  chance, not secrecy
    errands = []
    for _ in range(30):
        order = chance.sample(products, 4)
        errands.append(partial(caller.ask, "holdMany", json=items(*((product, 1) for product in order))))
    answers = together(*errands)
    assert Counter(each.status_code for each in answers) == {201: 10, 409: 20}
    for product in products:
        assert caller.stock(product)["available"] == 0
