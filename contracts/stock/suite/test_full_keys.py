"""API keys: a secret that lasts, until it ends or is taken back."""

from typing import Any

import pytest

from . import contract
from .caller import Caller

NAMES = ("key", "revoked_key", "expired_key")


@pytest.fixture(scope="session")
def keys(judged: dict[str, Any]) -> dict[str, str]:
    """The keys to judge by."""
    return {name: judged["full"][name] for name in NAMES}


def test_a_key_is_as_good_as_a_token(judged: dict[str, Any], keys: dict[str, str], other: Caller) -> None:
    with (caller := Caller(judged["url"], contract.full(), keys["key"])).http:
        product = caller.product(on_hand=2)
        reservation = caller.holds(product["id"])
        assert caller.reads("confirmReservation", reservation_id=reservation["id"])["state"] == "confirmed"
    other.refused("readReservation", "not-found", reservation_id=reservation["id"])


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_key_that_has_ended_is_none(judged: dict[str, Any], keys: dict[str, str], name: str) -> None:
    with (caller := Caller(judged["url"], contract.full(), keys[name])).http:
        for operation in ("listProducts", "listReservations"):
            refused = caller.refused(operation, "unauthorized")
            assert "invalid_token" in refused.headers["WWW-Authenticate"]


def test_a_key_that_is_not_quite_right_is_none(judged: dict[str, Any], keys: dict[str, str]) -> None:
    key = keys["key"]
    for wrong in (key[:-1], key + "A", key[:-1] + ("A" if key[-1] != "A" else "B"), key.upper(), key.replace("_", "-")):
        with (caller := Caller(judged["url"], contract.full(), wrong)).http:
            caller.refused("listProducts", "unauthorized")
