"""Reservations: what is put aside, for whom, and how long."""

import time
from datetime import datetime, timedelta

import pytest

from .caller import Caller, Json


def until_expired(writer: Caller, reservation: Json) -> None:
    """Wait for the end of its time, by the server's clock, and a moment longer."""
    deadline = time.monotonic() + 20
    while writer.reads("readReservation", reservation_id=reservation["id"])["state"] == "held":
        assert time.monotonic() < deadline, "It does not expire."
        time.sleep(0.1)


def test_what_is_put_aside_cannot_be_had_and_is_still_there(writer: Caller) -> None:
    product = writer.product(on_hand=5)
    body = {"product_id": product["id"], "quantity": 2, "expires_in": 120}
    made = writer.gets("holdStock", 201, json=body)
    reservation = made.json()
    assert reservation | {"product_id": product["id"], "quantity": 2, "state": "held"} == reservation
    lasts = datetime.fromisoformat(reservation["expires_at"]) - datetime.fromisoformat(reservation["created_at"])
    assert abs(lasts - timedelta(seconds=120)) < timedelta(seconds=2)
    read = writer.http.get(made.headers["Location"])
    assert read.json() == reservation == writer.reads("readReservation", reservation_id=reservation["id"])
    assert read.headers["ETag"] == made.headers["ETag"]
    now = writer.stock(product["id"])
    assert (now["on_hand"], now["reserved"], now["available"]) == (5, 2, 3)
    assert writer.reads("listProducts", query={"limit": 1})["items"] == [now]


def test_who_says_nothing_has_a_quarter_of_an_hour(writer: Caller) -> None:
    product = writer.product(on_hand=1)
    made = writer.reads("holdStock", 201, json={"product_id": product["id"], "quantity": 1})
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert abs(lasts - timedelta(seconds=900)) < timedelta(seconds=2)


def test_no_more_is_put_aside_than_can_be_had(writer: Caller) -> None:
    product = writer.product(on_hand=5)
    writer.holds(product["id"], 3)
    before = writer.stock(product["id"])
    writer.refused("holdStock", "not-enough-stock", json={"product_id": product["id"], "quantity": 3})
    assert writer.stock(product["id"]) == before
    assert writer.holds(product["id"], 2)["state"] == "held"
    assert writer.stock(product["id"])["available"] == 0


def test_what_is_confirmed_goes_out(writer: Caller) -> None:
    product = writer.product(on_hand=5)
    reservation = writer.holds(product["id"], 2)
    confirmed = writer.gets("confirmReservation", reservation_id=reservation["id"])
    assert confirmed.json() == reservation | {"state": "confirmed"}
    read = writer.gets("readReservation", reservation_id=reservation["id"])
    assert (read.json(), read.headers["ETag"]) == (confirmed.json(), confirmed.headers["ETag"])
    now = writer.stock(product["id"])
    assert (now["on_hand"], now["reserved"], now["available"]) == (3, 0, 3)
    movement = writer.everything("listMovements", product_id=product["id"])[0]
    expected = {"kind": "issue", "change": -2, "on_hand": 3, "reservation_id": reservation["id"]}
    assert movement | expected == movement


def test_what_is_cancelled_can_be_had_again(writer: Caller) -> None:
    product = writer.product(on_hand=5)
    reservation = writer.holds(product["id"], 2)
    cancelled = writer.reads("cancelReservation", reservation_id=reservation["id"])
    assert cancelled == reservation | {"state": "cancelled"}
    assert writer.reads("readReservation", reservation_id=reservation["id"]) == cancelled
    assert writer.stock(product["id"]) == product
    assert len(writer.everything("listMovements", product_id=product["id"])) == 1


@pytest.mark.parametrize("ended", ["confirmReservation", "cancelReservation"])
@pytest.mark.parametrize("asked", ["confirmReservation", "cancelReservation"])
def test_what_has_ended_stays_as_it_ended(writer: Caller, ended: str, asked: str) -> None:
    product = writer.product(on_hand=5)
    reservation = writer.holds(product["id"], 2)
    state = writer.reads(ended, reservation_id=reservation["id"])
    stock = writer.stock(product["id"])
    writer.refused(asked, "reservation-closed", reservation_id=reservation["id"])
    assert writer.reads("readReservation", reservation_id=reservation["id"]) == state
    assert writer.stock(product["id"]) == stock


def test_what_has_expired_can_be_had_by_others(writer: Caller, other: Caller) -> None:
    product = writer.product(on_hand=4)
    kept = writer.holds(product["id"], 1)
    reservations = [writer.holds(product["id"], 3, expires_in=1)]
    tag = writer.tag(product["id"])
    until_expired(writer, reservations[0])
    now = writer.gets("readProduct", product_id=product["id"])
    assert now.json() == product | {"reserved": 1, "available": 3}
    assert now.headers["ETag"] != tag
    assert writer.reads("listProducts", query={"limit": 1})["items"] == [now.json()]
    for asked in ("confirmReservation", "cancelReservation"):
        writer.refused(asked, "reservation-closed", reservation_id=reservations[0]["id"])
    assert other.holds(product["id"], 3)["state"] == "held"
    assert writer.reads("readReservation", reservation_id=kept["id"])["state"] == "held"
    listed = {each["id"]: each["state"] for each in writer.everything("listReservations")}
    assert (listed[kept["id"]], listed[reservations[0]["id"]]) == ("held", "expired")
    assert writer.reads("confirmReservation", reservation_id=kept["id"])["state"] == "confirmed"
    left = writer.stock(product["id"])
    assert (left["on_hand"], left["reserved"], left["available"]) == (3, 3, 0)


@pytest.mark.parametrize(("kind", "sign"), [("issue", 1), ("correct", -1)])
def test_what_has_expired_can_go_out(writer: Caller, kind: str, sign: int) -> None:
    product = writer.product(on_hand=2)
    until_expired(writer, writer.holds(product["id"], 2, expires_in=1))
    assert writer.moves(product["id"], kind, 2 * sign)["on_hand"] == 0
    now = writer.stock(product["id"])
    assert (now["on_hand"], now["reserved"], now["available"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"quantity": 0}, "#/quantity"),
        ({"quantity": -1}, "#/quantity"),
        ({"quantity": 1_000_001}, "#/quantity"),
        ({"quantity": "1"}, "#/quantity"),
        ({"quantity": True}, "#/quantity"),
        ({"quantity": 1.5}, "#/quantity"),
        ({"quantity": None}, "#/quantity"),
        ({"expires_in": 0}, "#/expires_in"),
        ({"expires_in": 604_801}, "#/expires_in"),
        ({"expires_in": "60"}, "#/expires_in"),
        ({"expires_in": None}, "#/expires_in"),
        ({"product_id": 0}, "#/product_id"),
        ({"product_id": -1}, "#/product_id"),
        ({"product_id": 2**62}, "#/product_id"),
        ({"product_id": 2**63}, "#/product_id"),
        ({"product_id": 10**30}, "#/product_id"),
        ({"product_id": "1"}, "#/product_id"),
        ({"product_id": None}, "#/product_id"),
        ({"state": "confirmed"}, "#/state"),
    ],
)
def test_a_wrong_reservation_puts_nothing_aside(writer: Caller, change: Json, at: str) -> None:
    product = writer.product(on_hand=1)
    body = {"product_id": product["id"], "quantity": 1} | change
    writer.refused("holdStock", "invalid", at=at, json=body)
    assert writer.stock(product["id"]) == product


def test_a_reservation_is_its_holders_alone(writer: Caller, other: Caller, reader: Caller) -> None:
    product = writer.product(on_hand=1)
    reservation = writer.holds(product["id"])
    for somebody in (other, reader):
        somebody.refused("readReservation", "not-found", reservation_id=reservation["id"])
        assert reservation["id"] not in {each["id"] for each in somebody.everything("listReservations")}
    for asked in ("confirmReservation", "cancelReservation"):
        other.refused(asked, "not-found", reservation_id=reservation["id"])
    assert writer.reads("readReservation", reservation_id=reservation["id"]) == reservation
    assert writer.everything("listReservations")[0] == reservation
