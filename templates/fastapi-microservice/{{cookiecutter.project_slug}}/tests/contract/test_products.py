"""Products: what they are made of, and what becomes of them."""

import json

import pytest

from .caller import Caller, Json, sku

WRONG = {
    "sku": ["", "tea", "TEA ", " TEA", "TEA\n", "TEA\x00", "-TEA", "TÉA", "T" * 41, 7, 1.5, True, None, ["TEA"], {}],
    "name": ["", " ", " tea", "tea ", "tea\n", "\ntea", "t\x00a", "t\x7fa", "t" * 201, 7, False, None, ["tea"], {}],
}


def test_a_new_product_has_nothing_on_hand_and_is_read_where_its_location_says(writer: Caller) -> None:
    name = sku()
    made = writer.gets("createProduct", 201, json={"sku": name, "name": "Grüner Tee, 100 g 🍵"})
    product = made.json()
    assert (
        product | {"sku": name, "name": "Grüner Tee, 100 g 🍵", "on_hand": 0, "reserved": 0, "available": 0} == product
    )
    assert product["created_at"] == product["updated_at"]
    read = writer.http.get(made.headers["Location"])
    assert read.json() == product
    assert read.headers["ETag"] == made.headers["ETag"]
    assert writer.reads("readProduct", product_id=product["id"]) == product


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in WRONG for value in WRONG[field]])
def test_a_wrong_value_is_refused_where_it_stands(writer: Caller, field: str, value: object) -> None:
    right = {"sku": sku(), "name": "Green tea"}
    writer.refused("createProduct", "invalid", at=f"#/{field}", json=right | {field: value})
    product = writer.product()
    tag = writer.tag(product["id"])
    wrong: Json = {"json": {field: value}, "headers": {"If-Match": tag}}
    writer.refused("changeProduct", "invalid", at=f"#/{field}", product_id=product["id"], **wrong)
    assert writer.tag(product["id"]) == tag


def test_a_name_that_is_no_unicode_is_refused(writer: Caller) -> None:
    body = b'{"sku": "%s", "name": "\\ud83c tea"}' % sku().encode()
    writer.refused("createProduct", "invalid", at="#/name", content=body)


@pytest.mark.parametrize("left_out", ["sku", "name"])
def test_what_is_missing_is_named(writer: Caller, left_out: str) -> None:
    body = {"sku": sku(), "name": "Green tea"}
    del body[left_out]
    writer.refused("createProduct", "invalid", at=f"#/{left_out}", json=body)


def test_what_nobody_knows_is_named_and_nothing_is_made(writer: Caller) -> None:
    body = {"sku": sku(), "name": "Green tea"}
    for unknown in ("on_hand", "id", "colour", "a/b~c"):
        pointer = "#/" + unknown.replace("~", "~0").replace("/", "~1")
        writer.refused("createProduct", "invalid", at=pointer, json=body | {unknown: 1})
    writer.gets("createProduct", 201, json=body)


@pytest.mark.parametrize("body", [[], "tea", 7, None, [{"sku": "TEA", "name": "tea"}]])
def test_a_body_that_is_no_object_is_refused(writer: Caller, body: object) -> None:
    writer.refused("createProduct", "invalid", content=json.dumps(body).encode())


@pytest.mark.parametrize("product", [{"sku": "T" * 38, "name": "t"}, {"sku": "T.-_", "name": "🍵" * 200}])
def test_what_is_just_allowed_is_kept_as_it_is(writer: Caller, product: dict[str, str]) -> None:
    end = sku()[-2:] if len(product["sku"]) == 38 else sku()[-30:]
    product = product | {"sku": product["sku"] + end}
    made = writer.reads("createProduct", 201, json=product)
    assert made | product == made


def test_a_sku_is_of_one_product(writer: Caller) -> None:
    first, second = writer.product(), writer.product()
    writer.refused("createProduct", "sku-taken", json={"sku": first["sku"], "name": "Another"})
    change: Json = {"json": {"sku": first["sku"]}, "headers": {"If-Match": writer.tag(second["id"])}}
    writer.refused("changeProduct", "sku-taken", product_id=second["id"], **change)
    assert writer.stock(second["id"]) == second


def test_a_change_leaves_the_rest_as_it_is(writer: Caller) -> None:
    product = writer.product(on_hand=3)
    writer.holds(product["id"], 1)
    tag = writer.tag(product["id"])
    body = {"name": "Black tea", "sku": product["sku"]}
    changed = writer.gets("changeProduct", product_id=product["id"], json=body, headers={"If-Match": tag})
    now = writer.stock(product["id"])
    assert changed.json() == now
    assert changed.headers["ETag"] == writer.tag(product["id"]) != tag
    assert now == product | {"name": "Black tea", "reserved": 1, "available": 2, "updated_at": now["updated_at"]}
    assert now["updated_at"] > product["updated_at"]


@pytest.mark.parametrize(("body", "at"), [({}, ""), ({"on_hand": 5}, "#/on_hand"), ({"name": "Tea", "id": 1}, "#/id")])
def test_a_change_of_nothing_or_of_what_cannot_be_changed_is_refused(writer: Caller, body: object, at: str) -> None:
    product = writer.product()
    tag = {"If-Match": writer.tag(product["id"])}
    writer.refused("changeProduct", "invalid", at=at, product_id=product["id"], json=body, headers=tag)
    assert writer.stock(product["id"]) == product


def test_a_product_that_is_gone_is_gone(writer: Caller) -> None:
    product = writer.product()
    writer.gets("deleteProduct", 204, product_id=product["id"], headers={"If-Match": writer.tag(product["id"])})
    writer.refused("readProduct", "not-found", product_id=product["id"])
    writer.refused("listMovements", "not-found", product_id=product["id"])
    writer.refused("deleteProduct", "not-found", product_id=product["id"], headers={"If-Match": "*"})
    change: Json = {"json": {"name": "Tea"}, "headers": {"If-Match": "*"}}
    writer.refused("changeProduct", "not-found", product_id=product["id"], **change)
    assert writer.product()["id"] != product["id"]


def test_a_product_with_a_past_stays(writer: Caller) -> None:
    moved, reserved = writer.product(on_hand=1), writer.product(on_hand=1)
    writer.moves(moved["id"], "issue", 1)
    reservation = writer.holds(reserved["id"])
    writer.gets("cancelReservation", reservation_id=reservation["id"])
    for product in (moved, reserved):
        tag = {"If-Match": writer.tag(product["id"])}
        writer.refused("deleteProduct", "product-in-use", product_id=product["id"], headers=tag)
        assert writer.stock(product["id"])["sku"] == product["sku"]
