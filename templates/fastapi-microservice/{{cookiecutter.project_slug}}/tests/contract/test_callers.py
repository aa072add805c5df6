"""Who may do what: tokens and scopes, at each operation."""

import base64
import json
from typing import Any

import pytest

from . import contract
from .caller import Caller, Json

CORE = contract.core()
NAMES = list(CORE.operations)
WRITING = [name for name, each in CORE.operations.items() if each.scope == "stock:write"]


def request(name: str) -> Json:
    """What an operation needs, but that nothing has this id."""
    operation = CORE.operations[name]
    headers = {"If-Match": "*"} if operation.demands("If-Match") else {}
    body = {"sku": "TEA", "name": "Tea"} if operation.has_body else None
    return {"product_id": 2**61, "reservation_id": 2**61, "headers": headers, "json": body}


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decoded(part: str) -> Json:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.mark.parametrize("name", NAMES)
def test_nobody_does_anything_without_a_token(stranger: Caller, name: str) -> None:
    stranger.refused(name, "unauthorized", **request(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_token_without_the_scope_does_nothing(
    judged: dict[str, Any], core: contract.Contract, reader: Caller, name: str
) -> None:
    with (nobody := Caller(judged["url"], core, judged["tokens"]["nobody"])).http:
        for caller in [nobody, *([reader] if name in WRITING else [])]:
            refused = caller.refused(name, "forbidden", **request(name))
            assert "insufficient_scope" in refused.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize(
    "how",
    [
        "expired",
        "its end moved",
        "another subject",
        "more scopes",
        "signature cut",
        "signature changed",
        "none",
        "NoNe",
    ],
)
@pytest.mark.parametrize("name", ["listProducts", "createProduct", "confirmReservation"])
def test_a_token_that_is_over_or_altered_is_none(judged: dict[str, Any], stranger: Caller, name: str, how: str) -> None:
    tokens = judged["tokens"]
    head, payload, signature = tokens["writer"].split(".")
    expired = tokens["expired"].split(".")
    altered = {
        "expired": tokens["expired"],
        "its end moved": ".".join([expired[0], encoded(decoded(expired[1]) | {"exp": 2**33}), expired[2]]),
        "another subject": ".".join([head, encoded(decoded(payload) | {"sub": "somebody"}), signature]),
        "more scopes": ".".join(
            [head, encoded(decoded(payload) | {"scope": "stock:read stock:write admin"}), signature]
        ),
        "signature cut": f"{head}.{payload}.",
        "signature changed": f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "none": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "NoNe": f"{encoded(decoded(head) | {'alg': 'NoNe'})}.{payload}.",
    }[how]
    wanted = request(name)
    headers = wanted.pop("headers") | {"Authorization": f"Bearer {altered}"}
    refused = stranger.refused(name, "unauthorized", headers=headers, **wanted)
    assert "invalid_token" in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "said", ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer ..", "Basic dTpw", "Token x", "x" * 5000, "Bearer \xff"]
)
def test_what_is_no_token_is_refused(stranger: Caller, said: str) -> None:
    response = stranger.http.get("/api/v1/products", headers={b"Authorization": said.encode("latin-1")})
    stranger.check(CORE.operations["listProducts"], response)
    stranger.is_problem(response, "unauthorized")


def test_the_scheme_has_no_case(judged: dict[str, Any], stranger: Caller) -> None:
    stranger.gets("listProducts", headers={"Authorization": f"bearer {judged['tokens']['reader']}"})


def test_a_token_in_the_address_is_none(judged: dict[str, Any], stranger: Caller) -> None:
    response = stranger.http.get("/api/v1/products", params={"access_token": judged["tokens"]["reader"]})
    stranger.is_problem(response, "unauthorized")
