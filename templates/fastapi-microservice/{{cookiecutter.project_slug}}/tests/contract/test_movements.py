"""Movements: what changes the number on hand, and what may not."""

import pytest

from .caller import Caller


def test_the_number_on_hand_is_the_sum_of_its_movements(writer: Caller) -> None:
    product = writer.product()
    body = {"kind": "receive", "quantity": 10, "note": "Order 7, “urgent”"}
    first = writer.reads("moveStock", 201, product_id=product["id"], json=body)
    assert (first["kind"], first["change"], first["on_hand"], first["note"]) == ("receive", 10, 10, "Order 7, “urgent”")
    assert (first["product_id"], first["reservation_id"]) == (product["id"], None)
    assert (
        writer.moves(product["id"], "issue", 4) | {"change": -4, "on_hand": 6, "note": ""}
        == writer.everything("listMovements", product_id=product["id"])[0]
    )
    assert writer.moves(product["id"], "correct", -1)["on_hand"] == 5
    assert writer.moves(product["id"], "correct", 2)["on_hand"] == 7
    movements = writer.everything("listMovements", product_id=product["id"])
    assert [each["change"] for each in movements] == [2, -1, -4, 10]
    assert movements[-1] == first
    now = writer.stock(product["id"])
    assert (now["on_hand"], now["reserved"], now["available"]) == (7, 0, 7)
    assert now["updated_at"] == product["updated_at"]


@pytest.mark.parametrize(("kind", "sign"), [("issue", 1), ("correct", -1)])
def test_no_more_goes_out_than_can_be_had(writer: Caller, kind: str, sign: int) -> None:
    product = writer.product(on_hand=5)
    writer.holds(product["id"], 2)
    before = writer.stock(product["id"])
    body = {"kind": kind, "quantity": 4 * sign}
    writer.refused("moveStock", "not-enough-stock", product_id=product["id"], json=body)
    assert writer.stock(product["id"]) == before
    assert len(writer.everything("listMovements", product_id=product["id"])) == 1
    assert writer.moves(product["id"], kind, 3 * sign)["on_hand"] == 2
    assert writer.stock(product["id"])["available"] == 0


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"kind": "receive", "quantity": 0}, "#/quantity"),
        ({"kind": "receive", "quantity": -1}, "#/quantity"),
        ({"kind": "issue", "quantity": 0}, "#/quantity"),
        ({"kind": "issue", "quantity": -1}, "#/quantity"),
        ({"kind": "correct", "quantity": 0}, "#/quantity"),
        ({"kind": "receive", "quantity": 1_000_001}, "#/quantity"),
        ({"kind": "correct", "quantity": -1_000_001}, "#/quantity"),
        ({"kind": "receive", "quantity": 10**30}, "#/quantity"),
        ({"kind": "receive", "quantity": "1"}, "#/quantity"),
        ({"kind": "receive", "quantity": True}, "#/quantity"),
        ({"kind": "receive", "quantity": 1.5}, "#/quantity"),
        ({"kind": "receive", "quantity": None}, "#/quantity"),
        ({"kind": "receive", "quantity": [1]}, "#/quantity"),
        ({"kind": "receive"}, "#/quantity"),
        ({"kind": "steal", "quantity": 1}, "#/kind"),
        ({"kind": "Receive", "quantity": 1}, "#/kind"),
        ({"kind": 1, "quantity": 1}, "#/kind"),
        ({"kind": None, "quantity": 1}, "#/kind"),
        ({"quantity": 1}, "#/kind"),
        ({"kind": "receive", "quantity": 1, "note": "a\x00b"}, "#/note"),
        ({"kind": "receive", "quantity": 1, "note": "a\n"}, "#/note"),
        ({"kind": "receive", "quantity": 1, "note": "n" * 201}, "#/note"),
        ({"kind": "receive", "quantity": 1, "note": 7}, "#/note"),
        ({"kind": "receive", "quantity": 1, "note": None}, "#/note"),
        ({"kind": "receive", "quantity": 1, "on_hand": 1}, "#/on_hand"),
    ],
)
def test_a_wrong_movement_moves_nothing(writer: Caller, body: object, at: str) -> None:
    product = writer.product(on_hand=5)
    writer.refused("moveStock", "invalid", at=at, product_id=product["id"], json=body)
    assert writer.stock(product["id"]) == product


def test_what_is_moved_is_there(writer: Caller) -> None:
    body = {"kind": "receive", "quantity": 1}
    writer.refused("moveStock", "not-found", product_id=2**62, json=body)
    writer.refused("listMovements", "not-found", product_id=2**62)


def test_the_largest_movement_is_taken_and_what_it_adds_up_to_is_exact(writer: Caller) -> None:
    product = writer.product()
    for _ in range(3):
        writer.moves(product["id"], "receive", 1_000_000)
    assert writer.moves(product["id"], "receive", 1)["on_hand"] == writer.stock(product["id"])["available"] == 3_000_001


def test_what_has_happened_is_not_changed(writer: Caller) -> None:
    product = writer.product(on_hand=1)
    (movement,) = writer.everything("listMovements", product_id=product["id"])
    for method in ("PUT", "PATCH", "DELETE"):
        for address in (f"/api/v1/products/{product['id']}/movements", f"/api/v1/movements/{movement['id']}"):
            assert writer.http.request(method, address, json={"quantity": 9}).status_code in (404, 405)
    assert writer.everything("listMovements", product_id=product["id"]) == [movement]
