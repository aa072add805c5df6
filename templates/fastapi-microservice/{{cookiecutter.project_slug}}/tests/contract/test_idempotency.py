"""Idempotency keys: what moves stock is done once, however often it is asked for."""

import json
import uuid
from functools import partial
from typing import Any

import httpx2
import pytest

from .caller import Caller, together

NAMES = ("moveStock", "holdStock", "confirmReservation", "cancelReservation")


def errand(writer: Caller, name: str) -> tuple[int, dict[str, Any]]:
    """A product, and what this operation needs to do something with it."""
    product = writer.product(on_hand=10)["id"]
    match name:
        case "moveStock":
            return product, {"product_id": product, "json": {"kind": "issue", "quantity": 3}}
        case "holdStock":
            return product, {"json": {"product_id": product, "quantity": 3}}
        case _:
            return product, {"reservation_id": writer.holds(product, 3)["id"]}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def same(answers: list[httpx2.Response]) -> bool:
    """Whether all have the same status, the same bytes, and the same headers that tell of the thing."""
    return len({(a.status_code, a.content, a.headers.get("ETag"), a.headers.get("Location")) for a in answers}) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("said", ["", "a b", "é", "k" * 201])
def test_without_a_key_nothing_is_moved(writer: Caller, name: str, said: str) -> None:
    product, how = errand(writer, name)
    before = writer.stock(product)
    operation = writer.contract.operations[name]
    headers = [(b"Idempotency-Key", said.encode("latin-1"))] if said else []
    address = operation.path.format_map(how)
    response = writer.http.request("POST", address, json=how.get("json"), headers=headers)
    writer.check(operation, response)
    writer.is_problem(response, "idempotency-key-missing")
    assert writer.stock(product) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_same_request_again_gives_the_same_answer_and_moves_nothing(writer: Caller, name: str) -> None:
    product, how = errand(writer, name)
    headers = key()
    first = writer.ask(name, headers=headers, **how)
    assert first.status_code in (200, 201)
    after, movements = writer.stock(product), writer.everything("listMovements", product_id=product)
    assert same([first, *(writer.ask(name, headers=headers, **how) for _ in range(3))])
    assert writer.stock(product) == after
    assert writer.everything("listMovements", product_id=product) == movements


def test_the_stored_answer_is_the_one_of_then(writer: Caller) -> None:
    product, how = errand(writer, "holdStock")
    headers = key()
    first = writer.ask("holdStock", headers=headers, **how)
    writer.gets("cancelReservation", reservation_id=first.json()["id"])
    before = writer.stock(product)
    again = writer.ask("holdStock", headers=headers, **how)
    assert same([first, again])
    assert again.json()["state"] == "held"
    assert writer.stock(product) == before


def test_the_same_json_in_another_order_is_the_same(writer: Caller) -> None:
    product = writer.product(on_hand=10)["id"]
    headers = key()
    body = {"product_id": product, "quantity": 3, "expires_in": 60}
    first = writer.gets("holdStock", 201, headers=headers, json=body)
    turned = json.dumps(dict(reversed(body.items())), indent=3).encode()
    assert same([first, writer.ask("holdStock", headers=headers, content=turned)])
    assert writer.stock(product)["reserved"] == 3


def test_a_key_that_came_with_something_else_is_refused(writer: Caller) -> None:
    product, how = errand(writer, "holdStock")
    headers = key()
    writer.gets("holdStock", 201, headers=headers, **how)
    reservation = writer.holds(product, 1)["id"]
    other = writer.product(on_hand=10)["id"]
    before = writer.stock(product)
    others: list[tuple[str, dict[str, Any]]] = [
        ("holdStock", {"json": how["json"] | {"quantity": 4}}),
        ("holdStock", {"json": how["json"] | {"expires_in": 901}}),
        ("holdStock", {"json": how["json"] | {"product_id": other}}),
        ("moveStock", {"product_id": product, "json": {"kind": "issue", "quantity": 1}}),
        ("confirmReservation", {"reservation_id": reservation}),
        ("cancelReservation", {"reservation_id": reservation}),
    ]
    for name, asked in others:
        writer.refused(name, "idempotency-key-reused", headers=headers, **asked)
    assert writer.stock(product) == before
    assert writer.stock(other)["reserved"] == 0
    headers = key()
    move: dict[str, Any] = {"json": {"kind": "issue", "quantity": 1}, "headers": headers}
    writer.gets("moveStock", 201, product_id=product, **move)
    writer.refused("moveStock", "idempotency-key-reused", product_id=other, **move)
    assert writer.stock(other)["on_hand"] == 10


def test_a_key_is_its_callers_own(writer: Caller, other: Caller) -> None:
    product, how = errand(writer, "holdStock")
    headers = key()
    first = writer.reads("holdStock", 201, headers=headers, **how)
    second = other.reads("holdStock", 201, headers=headers, **how)
    assert first["id"] != second["id"]
    assert writer.stock(product)["reserved"] == 6


def test_what_was_refused_leaves_nothing(writer: Caller) -> None:
    product = writer.product(on_hand=1)["id"]
    headers = key()
    body = {"product_id": product, "quantity": 2}
    for _ in range(2):
        writer.refused("holdStock", "not-enough-stock", headers=headers, json=body)
    writer.refused("holdStock", "invalid", headers=headers, json=body | {"quantity": 0})
    writer.moves(product, "receive", 1)
    first = writer.gets("holdStock", 201, headers=headers, json=body)
    assert same([first, writer.ask("holdStock", headers=headers, json=body)])
    assert writer.stock(product)["reserved"] == 2


@pytest.mark.parametrize("name", NAMES)
def test_of_twenty_at_once_one_does_it(writer: Caller, name: str) -> None:
    product, how = errand(writer, name)
    headers = key()
    answers = together(*[partial(writer.ask, name, headers=headers, **how)] * 20)
    done = [each for each in answers if each.status_code in (200, 201)]
    for each in answers:
        if each not in done:
            writer.is_problem(each, "request-in-progress")
            assert 0 <= int(each.headers["Retry-After"]) <= 60
    assert done
    assert same([*done, writer.ask(name, headers=headers, **how)])
    now = writer.stock(product)
    expected = {"moveStock": (7, 0), "holdStock": (10, 3), "confirmReservation": (7, 0), "cancelReservation": (10, 0)}
    assert (now["on_hand"], now["reserved"]) == expected[name]
