"""ETags: what is as it was is not sent again, and nobody changes what he has not seen."""

from functools import partial

import httpx2
import pytest

from .caller import Caller, Json, together


@pytest.fixture(params=["listProducts", "readProduct", "listMovements", "listReservations", "readReservation"])
def read(request: pytest.FixtureRequest, writer: Caller) -> partial[httpx2.Response]:
    """Each way of reading: `ask` with all that it needs but headers."""
    product = writer.product(on_hand=2)
    reservation = writer.holds(product["id"])
    return partial(writer.ask, request.param, product_id=product["id"], reservation_id=reservation["id"])


def test_what_is_as_it_was_is_not_sent_again(writer: Caller, read: partial[httpx2.Response]) -> None:
    tag = str(read().headers["ETag"])
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*", f'W/"y" , W/{tag},"z"'):
        unchanged = writer.ask(*read.args, **read.keywords, headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b""), known
        assert unchanged.headers["ETag"] == tag
    for unknown in ('"x"', 'W/"x"', tag.strip('"'), "", "garbage", '"'):
        assert writer.ask(*read.args, **read.keywords, headers={"If-None-Match": unknown}).status_code == 200, unknown


def test_what_has_changed_is_sent(writer: Caller) -> None:
    product = writer.product(on_hand=5)
    of = {"product_id": product["id"]}
    tags = [(writer.tag(product["id"]), writer.gets("listProducts", query={"limit": 1}).headers["ETag"])]
    reservation = writer.holds(product["id"])
    tags.append((writer.tag(product["id"]), writer.gets("listProducts", query={"limit": 1}).headers["ETag"]))
    writer.reads("confirmReservation", reservation_id=reservation["id"])
    tags.append((writer.tag(product["id"]), writer.gets("listProducts", query={"limit": 1}).headers["ETag"]))
    writer.gets("changeProduct", json={"name": "Black tea"}, headers={"If-Match": tags[-1][0]}, **of)
    tags.append((writer.tag(product["id"]), writer.gets("listProducts", query={"limit": 1}).headers["ETag"]))
    for kind in zip(*tags, strict=True):
        assert len(set(kind)) == 4
    assert writer.ask("readProduct", headers={"If-None-Match": tags[0][0]}, **of).status_code == 200


def test_the_same_thing_has_the_same_etag(writer: Caller) -> None:
    product = writer.product()
    assert len({writer.tag(product["id"]) for _ in range(10)}) == 1


@pytest.mark.parametrize(("name", "body"), [("changeProduct", {"name": "Black tea"}), ("deleteProduct", None)])
def test_nobody_changes_what_he_has_not_seen(writer: Caller, name: str, body: Json | None) -> None:
    product = writer.product(on_hand=1)
    stale = writer.tag(product["id"])
    writer.moves(product["id"], "issue", 1)
    tag = writer.tag(product["id"])
    of = {"product_id": product["id"], "json": body}
    writer.refused(name, "precondition-required", **of)
    for known in (stale, '"x"', f"W/{tag}", tag.strip('"'), f"{stale}, W/{tag}", "garbage", '"*"'):
        writer.refused(name, "precondition-failed", headers={"If-Match": known}, **of)
    assert writer.tag(product["id"]) == tag


@pytest.mark.parametrize("known", ["*", "{tag}", '"x", {tag}', 'W/"x" ,{tag}'])
@pytest.mark.parametrize(("name", "body"), [("changeProduct", {"name": "Black tea"}), ("deleteProduct", None)])
def test_who_has_seen_it_changes_it(writer: Caller, name: str, body: Json | None, known: str) -> None:
    product = writer.product()
    headers = {"If-Match": known.format(tag=writer.tag(product["id"]))}
    assert writer.ask(name, product_id=product["id"], json=body, headers=headers).status_code in (200, 204)


def test_of_ten_who_have_seen_the_same_one_changes_it(writer: Caller) -> None:
    for _ in range(3):
        product = writer.product()
        headers = {"If-Match": writer.tag(product["id"])}
        errands = [
            partial(writer.ask, "changeProduct", product_id=product["id"], json={"name": f"Tea {n}"}, headers=headers)
            for n in range(10)
        ]
        answers = together(*errands)
        assert sorted(each.status_code for each in answers) == [200] + [412] * 9
        (changed,) = (each.json() for each in answers if each.status_code == 200)
        assert writer.stock(product["id"]) == changed


def test_head_is_get_without_the_body(writer: Caller, stranger: Caller) -> None:
    product = writer.product()
    address = f"/api/v1/products/{product['id']}"
    for path in (address, "/api/v1/products", f"{address}/movements", "/api/v1/reservations"):
        got, head = writer.http.get(path), writer.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("ETag", "Content-Type"):
            assert head.headers[name] == got.headers[name]
    assert writer.http.head(address, headers={"If-None-Match": writer.tag(product["id"])}).status_code == 304
    assert writer.http.head("/api/v1/products/0").status_code == 404
    assert stranger.http.head(address).status_code == 401
