"""Errors: one form for all, the ones of the framework included."""

import pytest

from . import contract
from .caller import Caller, look_at, sku

CORE = contract.core()
PATHS = [(path, method) for path in CORE.document["paths"] for method in ("GET", "PUT", "POST", "PATCH", "DELETE")]
ALLOWED = {
    path: {each.method for each in CORE.operations.values() if each.path == path} for path in CORE.document["paths"]
}
BODIES = [
    b"",
    b"{",
    b"tea",
    b"{'sku': 'TEA'}",
    b'{"sku": "TEA"} {}',
    b'{"sku": NaN}',
    b'{"sku": Infinity}',
    b'{"sku": "T\x01EA"}',
    b'{"sku": "\xff\xfe"}',
    b"\xff\xfe{\x00}\x00",
    b'{"sku": "TEA", }',
    b"[" * 30_000,
    b'{"a":' * 10_000,
    b"[" * 101 + b'"' + b'\\"' * 30_000,
]


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/nothing",
        "/api/v1/products/1/nothing",
        "/api/v1/reservations/1/nothing",
        "/api/v2/products",
        "/api/v1/products//1",
        "/api/v1",
    ],
)
def test_an_address_that_leads_nowhere_is_a_problem(writer: Caller, stranger: Caller, address: str) -> None:
    for caller in (writer, stranger):
        response = caller.http.get(address, follow_redirects=True)
        look_at(response)
        caller.is_problem(response, "not-found")


@pytest.mark.parametrize("name", ["readProduct", "listMovements", "readReservation", "confirmReservation"])
@pytest.mark.parametrize(
    "identity", ["0", "-1", "tea", "1.0", "1e3", "0x1", "%20", "1%00", "%FF", "\u0661", str(2**63), "9" * 23]
)
def test_an_id_that_is_none_leads_nowhere(writer: Caller, name: str, identity: str) -> None:
    writer.refused(name, "not-found", product_id=identity, reservation_id=identity)


@pytest.mark.parametrize(("path", "method"), [each for each in PATHS if each[1] not in ALLOWED[each[0]]])
def test_a_method_that_is_not_there_is_named_with_those_that_are(writer: Caller, path: str, method: str) -> None:
    response = writer.http.request(method, path.format(product_id=1, reservation_id=1), json={})
    look_at(response)
    writer.is_problem(response, "method-not-allowed")
    allowed = {each.strip() for each in response.headers["Allow"].split(",")}
    assert ALLOWED[path] <= allowed, f"{response.headers['Allow']} has not {ALLOWED[path]}"
    assert method not in allowed


@pytest.mark.parametrize("body", BODIES, ids=[f"{len(body)} bytes {body[:16]!r}" for body in BODIES])
def test_what_is_no_json_is_refused(writer: Caller, body: bytes) -> None:
    writer.refused("createProduct", "malformed", content=body)
    assert writer.gets("listProducts")


@pytest.mark.parametrize(
    "body",
    [b'{"sku": 1e999, "name": "Tea"}', b'{"sku": 1' + b"0" * 6000 + b', "name": "Tea"}', b"[" * 30_000 + b"]" * 30_000],
)
def test_what_has_no_bounds_is_refused_one_way_or_the_other(writer: Caller, body: bytes) -> None:
    response = writer.ask("createProduct", content=body)
    assert response.status_code in (400, 422)


@pytest.mark.parametrize(
    "announced",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
    ],
)
@pytest.mark.parametrize("name", ["createProduct", "changeProduct", "moveStock", "holdStock"])
def test_what_is_not_announced_as_json_is_refused(writer: Caller, name: str, announced: str) -> None:
    product = writer.product()
    headers = {"Content-Type": announced, "If-Match": "*"}
    body = b'{"sku": "%s", "name": "Tea"}' % sku().encode()
    writer.refused(name, "unsupported-media-type", product_id=product["id"], content=body, headers=headers)
    assert writer.stock(product["id"]) == product


@pytest.mark.parametrize("announced", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_be_announced_with_a_parameter(writer: Caller, announced: str) -> None:
    body = b'{"sku": "%s", "name": "Tea"}' % sku().encode()
    writer.gets("createProduct", 201, content=body, headers={"Content-Type": announced})


@pytest.mark.parametrize("accepted", ["text/html", "application/xml", "image/*", "application/problem+json"])
def test_who_takes_no_json_is_told_so(writer: Caller, accepted: str) -> None:
    product = writer.product(on_hand=1)
    headers = {"Accept": accepted}
    writer.refused("readProduct", "not-acceptable", product_id=product["id"], headers=headers)
    writer.refused("listProducts", "not-acceptable", headers=headers)
    body = {"product_id": product["id"], "quantity": 1}
    writer.refused("holdStock", "not-acceptable", json=body, headers=headers)
    assert writer.stock(product["id"]) == product


@pytest.mark.parametrize(
    "accepted",
    ["*/*", "application/*", "application/json", "text/html, application/json;q=0.5", "text/html,*/*;q=0.1", ""],
)
def test_who_takes_json_gets_it(writer: Caller, accepted: str) -> None:
    response = writer.gets("listProducts", headers={"Accept": accepted})
    assert response.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("name", ["createProduct", "changeProduct", "moveStock", "holdStock"])
def test_a_body_that_is_too_large_is_refused(writer: Caller, name: str, chunked: bool) -> None:
    product = writer.product()
    operation = CORE.operations[name]
    body = b'{"sku": "%s", "name": "%s"}' % (sku().encode(), b"t" * 70_000)
    headers = {"Content-Type": "application/json", "If-Match": "*", "Idempotency-Key": "large"}
    address = operation.path.format(product_id=product["id"])
    content = iter([body[:1000], body[1000:]]) if chunked else body
    response = writer.http.request(operation.method, address, content=content, headers=headers)
    writer.check(operation, response)
    writer.is_problem(response, "content-too-large")
    assert writer.stock(product["id"]) == product


def test_a_thousand_parameters_are_an_error_and_none_of_the_servers(writer: Caller) -> None:
    response = writer.ask("listProducts", query={f"a{number}": "1" for number in range(1100)})
    assert response.status_code in (400, 422)


@pytest.mark.parametrize(
    "name", ["createProduct", "listProducts", "readProduct", "changeProduct", "confirmReservation"]
)
def test_a_parameter_that_nobody_knows_is_named(writer: Caller, name: str) -> None:
    product = writer.product(on_hand=1)
    reservation = writer.holds(product["id"])
    body = {"sku": sku(), "name": "Tea"} if CORE.operations[name].has_body else None
    how = {"query": {"limitt": "1"}, "json": body, "headers": {"If-Match": "*"}}
    writer.refused(name, "invalid", at="limitt", product_id=product["id"], reservation_id=reservation["id"], **how)
