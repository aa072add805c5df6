"""Lists: keyset pages, newest first, that neither repeat nor lose."""

from collections.abc import Callable

import pytest

from .caller import Caller, Json

LISTS = ("listProducts", "listMovements", "listReservations")


def adding(writer: Caller, name: str) -> tuple[Callable[[], int], Json]:
    """Something that adds one to a list and gives its id; and what the list needs to be asked for."""
    product = writer.product(on_hand=100)
    match name:
        case "listProducts":
            return (lambda: writer.product()["id"]), {}
        case "listMovements":
            return (lambda: writer.moves(product["id"], "receive", 1)["id"]), {"product_id": product["id"]}
        case _:
            return (lambda: writer.holds(product["id"])["id"]), {}


@pytest.mark.parametrize("name", LISTS)
def test_pages_are_newest_first_and_what_is_added_meanwhile_moves_nothing(writer: Caller, name: str) -> None:
    add, of = adding(writer, name)
    made = [add() for _ in range(8)]
    seen: list[int] = []
    query: Json = {"limit": 2}
    for _ in range(4):
        page = writer.reads(name, query=query, **of)
        assert len(page["items"]) == 2
        seen += [each["id"] for each in page["items"]]
        query["cursor"] = page["next"]
        add()
    assert seen == made[::-1]


@pytest.mark.parametrize("name", LISTS)
def test_the_last_page_says_so(writer: Caller, name: str) -> None:
    add, of = adding(writer, name)
    for _ in range(2):
        add()
    items = writer.everything(name, **of)
    assert [each["id"] for each in items] == sorted({each["id"] for each in items}, reverse=True)
    query = {"limit": 1, "cursor": writer.reads(name, query={"limit": 1}, **of)["next"]}
    assert writer.reads(name, query=query, **of)["items"] == [items[1]]


def test_a_list_of_as_many_as_fit_has_no_next_page(writer: Caller) -> None:
    product = writer.product()
    for number in range(3):
        writer.moves(product["id"], "receive", number + 1)
    of = {"product_id": product["id"]}
    assert writer.reads("listMovements", query={"limit": 3}, **of)["next"] is None
    page = writer.reads("listMovements", query={"limit": 2}, **of)
    rest = writer.reads("listMovements", query={"limit": 2, "cursor": page["next"]}, **of)
    assert ([each["change"] for each in rest["items"]], rest["next"]) == ([1], None)
    assert writer.reads("listMovements", product_id=writer.product()["id"]) == {"items": [], "next": None}


def test_a_page_has_fifty_items_and_a_hundred_at_most(writer: Caller) -> None:
    product = writer.product()
    for _ in range(101):
        writer.moves(product["id"], "receive", 1)
    of = {"product_id": product["id"]}
    assert len(writer.reads("listMovements", **of)["items"]) == 50
    assert len(writer.reads("listMovements", query={"limit": 100}, **of)["items"]) == 100


def test_the_end_of_a_page_may_go_while_the_next_is_asked_for(writer: Caller) -> None:
    products = [writer.product()["id"] for _ in range(4)]
    page = writer.reads("listProducts", query={"limit": 2})
    assert [each["id"] for each in page["items"]] == products[:1:-1]
    writer.gets("deleteProduct", 204, product_id=products[2], headers={"If-Match": "*"})
    rest = writer.reads("listProducts", query={"limit": 2, "cursor": page["next"]})
    assert [each["id"] for each in rest["items"]] == products[1::-1]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", ["0", "-1", "101", "ten", "1.5", "", "1e1", "9" * 30, "1\x00", "\u0663"])
def test_a_limit_that_is_none_is_named(writer: Caller, name: str, limit: str) -> None:
    _, of = adding(writer, name)
    writer.refused(name, "invalid", at="limit", query={"limit": limit}, **of)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "cursor", ["x", "tea", "AAAA", "====", "e30", "W10", "bnVsbA", "WzFd-", "é", "\x00", "🍵", "9" * 512]
)
def test_what_is_no_cursor_is_refused(writer: Caller, name: str, cursor: str) -> None:
    _, of = adding(writer, name)
    writer.refused(name, "invalid-cursor", query={"cursor": cursor}, **of)


@pytest.mark.parametrize("name", LISTS)
def test_a_cursor_that_was_altered_is_refused_or_marks_a_place(writer: Caller, name: str) -> None:
    add, of = adding(writer, name)
    add(), add()
    cursor = writer.reads(name, query={"limit": 1}, **of)["next"]
    for place in range(len(cursor)):
        for other in "A9_~":
            altered = cursor[:place] + other + cursor[place + 1 :]
            response = writer.ask(name, query={"cursor": altered}, **of)
            assert response.status_code in (200, 400), response.text


def test_a_cursor_that_is_too_long_is_refused(writer: Caller) -> None:
    response = writer.ask("listProducts", query={"cursor": "A" * 5000})
    assert response.status_code in (400, 422)
