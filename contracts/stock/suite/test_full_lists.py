"""What full.yaml adds to lists: filters, order, and only the members that are wanted."""

from collections.abc import Iterator
from typing import Any

import pytest

from . import contract
from .caller import Caller, Json, sku
from .conftest import calling

MEMBERS = ("id", "sku", "name", "on_hand", "reserved", "available", "created_at", "updated_at")


@pytest.fixture(scope="session")
def caller(judged: dict[str, Any]) -> Iterator[Caller]:
    """Who may read and write, and knows full.yaml."""
    yield from calling(judged, contract.full(), "writer")


@pytest.fixture
def word(caller: Caller) -> str:
    """A word that is in the names of six products and in no other: two of each name, with 0 to 5 on hand."""
    word = sku()
    for number in range(6):
        body = {"sku": sku(), "name": f"{'BCA'[number % 3]} {word.lower()}"}
        product = caller.reads("createProduct", 201, json=body)
        if number:
            caller.moves(product["id"], "receive", number)
    return word


def walked(caller: Caller, **query: object) -> list[Json]:
    """All items, by pages of two."""
    items: list[Json] = []
    while True:
        page = caller.reads("listProducts", query=query | {"limit": 2})
        items += page["items"]
        if page["next"] is None:
            return items
        query["cursor"] = page["next"]


def test_a_word_is_found_in_either_case_and_in_the_sku(caller: Caller, word: str) -> None:
    assert [each["on_hand"] for each in walked(caller, search=word)] == [5, 4, 3, 2, 1, 0]
    product = walked(caller, search=word)[0]
    assert walked(caller, search=product["sku"][2:].lower()) == [product]
    for pattern in ("%", "_", "\\", "'", '"', "*"):
        assert walked(caller, search=f"{word[:5]}{pattern}{word[6:]}") == []


def test_one_sku_is_one_product_or_none(caller: Caller, word: str) -> None:
    product = walked(caller, search=word)[2]
    assert walked(caller, sku=product["sku"]) == [product]
    assert walked(caller, sku=product["sku"].lower()) == []
    assert walked(caller, sku=product["sku"], search="nothing") == []


def test_what_can_be_had_counts_not_what_is_there(caller: Caller, word: str) -> None:
    most = walked(caller, search=word)[0]
    assert [each["available"] for each in walked(caller, search=word, available_min=4)] == [5, 4]
    caller.holds(most["id"], 2)
    assert [each["available"] for each in walked(caller, search=word, available_min=3)] == [3, 4, 3]
    assert [each["available"] for each in walked(caller, search=word, available_min=4)] == [4]
    assert walked(caller, search=word, available_min=2**63 - 1) == []


def test_names_that_begin_alike_are_in_order(caller: Caller) -> None:
    word = sku().lower()
    for end in "bca":
        caller.reads("createProduct", 201, json={"sku": sku(), "name": f"{word} {'é' * 150}{end}"})
    assert [each["name"][-1] for each in walked(caller, search=word, sort="name")] == ["a", "b", "c"]


@pytest.mark.parametrize("sort", ["id", "-id", "sku", "-sku", "name", "-name"])
def test_any_order_has_its_pages(caller: Caller, word: str, sort: str) -> None:
    items = walked(caller, search=word, sort=sort)
    field, down = sort.removeprefix("-"), sort.startswith("-")
    assert items == sorted(items, key=lambda each: (each[field], each["id"]), reverse=down)
    assert len({each["id"] for each in items}) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "price"),
        ("sort", ""),
        ("sort", "--id"),
        ("sort", "id,name"),
        ("available_min", "-1"),
        ("available_min", "x"),
        ("available_min", str(2**63)),
        ("search", ""),
        ("search", "x" * 101),
        ("search", "x\x00"),
        ("search", "\x00"),
        ("sku", "\x00"),
        ("sku", ""),
        ("sku", "T" * 41),
        ("fields", ""),
        ("fields", "sku,price"),
        ("fields", "sku,,name"),
        ("fields", "__class__"),
    ],
)
def test_a_filter_that_is_none_is_named(caller: Caller, name: str, value: str) -> None:
    caller.refused("listProducts", "invalid", at=name, query={name: value})


@pytest.mark.parametrize("other", [{"sort": "name"}, {"search": "tea"}, {"available_min": 1}])
def test_a_cursor_belongs_to_its_filters_and_its_order(caller: Caller, word: str, other: Json) -> None:
    cursor = caller.reads("listProducts", query={"limit": 1, "search": word})["next"]
    assert caller.reads("listProducts", query={"limit": 1, "search": word, "cursor": cursor})["items"]
    assert caller.reads("listProducts", query={"limit": 2, "search": word, "cursor": cursor})["items"]
    query = {"limit": 1, "search": word, "cursor": cursor} | other
    caller.refused("listProducts", "invalid-cursor", query=query)


def test_only_what_is_wanted_is_sent(caller: Caller, word: str) -> None:
    product = walked(caller, search=word)[0]
    for fields in (("name",), ("available", "sku"), MEMBERS):
        wanted = {name: product[name] for name in {*fields, "id"}}
        query = {"search": word, "limit": 1, "fields": ",".join(fields)}
        assert caller.reads("listProducts", query=query)["items"] == [wanted]
        sparse = caller.gets("readProduct", product_id=product["id"], query={"fields": ",".join(fields)})
        assert sparse.json() == wanted
        known = {"If-None-Match": sparse.headers["ETag"]}
        again = {"product_id": product["id"], "query": {"fields": ",".join(fields)}, "headers": known}
        assert caller.ask("readProduct", **again).status_code == 304
    caller.refused("readProduct", "invalid", at="fields", product_id=product["id"], query={"fields": "price"})


def test_movements_of_a_kind_and_since(caller: Caller) -> None:
    product = caller.product()
    made = [caller.moves(product["id"], kind, 2) for kind in ("receive", "issue", "receive")]
    of = {"product_id": product["id"]}
    assert caller.reads("listMovements", query={"kind": "receive"}, **of)["items"] == [made[2], made[0]]
    since = caller.reads("listMovements", query={"since": made[1]["created_at"]}, **of)["items"]
    assert since == [made[2], made[1]]
    page = caller.reads("listMovements", query={"kind": "receive", "limit": 1}, **of)
    query = {"kind": "receive", "limit": 1, "cursor": page["next"]}
    assert caller.reads("listMovements", query=query, **of) == {"items": [made[0]], "next": None}
    caller.refused("listMovements", "invalid-cursor", query=query | {"kind": "issue"}, **of)
    for since in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert caller.ask("listMovements", query={"since": since}, **of).status_code in (200, 422)
    for name, value in (("kind", "steal"), ("since", "yesterday"), ("since", "2026-13-01T00:00:00Z")):
        caller.refused("listMovements", "invalid", at=name, query={name: value}, **of)


def test_reservations_in_a_state_and_of_a_product(caller: Caller) -> None:
    product, other = caller.product(on_hand=9), caller.product(on_hand=1)
    held, confirmed, expired = (caller.holds(product["id"], expires_in=each) for each in (900, 900, 1))
    caller.holds(other["id"])
    confirmed = caller.reads("confirmReservation", reservation_id=confirmed["id"])
    while caller.reads("readReservation", reservation_id=expired["id"])["state"] == "held":
        pass
    of = {"product_id": product["id"]}
    assert len(caller.reads("listReservations", query=of)["items"]) == 3
    for state, reservation in (("held", held), ("confirmed", confirmed), ("expired", expired | {"state": "expired"})):
        assert caller.reads("listReservations", query=of | {"state": state})["items"] == [reservation]
    assert caller.reads("listReservations", query=of | {"state": "cancelled"})["items"] == []
    caller.refused("listReservations", "invalid", at="state", query={"state": "lost"})
    caller.refused("listReservations", "invalid", at="product_id", query={"product_id": "x"})


def test_a_product_by_its_sku_says_where_to_ask_from_now_on(caller: Caller) -> None:
    product = caller.product(on_hand=2)
    read = caller.gets("readStock", sku=product["sku"])
    assert read.json() == product
    assert read.headers["ETag"] == caller.tag(product["id"])
    caller.refused("readStock", "not-found", sku="NOTHING-LIKE-IT")
