"""What one caller may take: so many requests a minute, so large a body, and not everybody's time."""

import socket
import ssl
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from .caller import Caller
from .contract import ALLOWANCE, POLICY


def left(caller: Caller) -> int:
    """How many requests are left, as an answer says."""
    found = ALLOWANCE.fullmatch(caller.gets("listProducts", query={"limit": 1}).headers["RateLimit"])
    assert found
    return int(found["r"])


def test_an_allowance_is_told_and_shrinks(writer: Caller) -> None:
    response = writer.gets("listProducts", query={"limit": 1})
    policy, allowance = (
        POLICY.fullmatch(response.headers["RateLimit-Policy"]),
        ALLOWANCE.fullmatch(response.headers["RateLimit"]),
    )
    assert policy
    assert allowance
    assert 0 <= int(allowance["r"]) < int(policy["q"])
    assert 0 <= int(allowance["t"]) <= int(policy["w"])
    # A window may end between the two.
    assert any(left(writer) > left(writer) for _ in range(3))


def test_who_asks_too_often_waits_and_nobody_else_does(
    judged: dict[str, Any], limited: Caller, reader: Caller, writer: Caller
) -> None:
    policy = POLICY.fullmatch(limited.ask("listProducts", query={"limit": 1}).headers["RateLimit-Policy"])
    assert policy
    quota = int(policy["q"])
    assert quota <= 100, "limited_url is to have an allowance of at most 100"
    for _ in range(2 * quota + 2):  # a window may end in between
        response = limited.ask("listProducts", query={"limit": 1})
        if response.status_code == 429:
            break
    limited.is_problem(response, "too-many-requests")
    assert 1 <= int(response.headers["Retry-After"]) <= int(policy["w"]) + 1
    assert response.headers["RateLimit"].split(";")[1] == "r=0"
    product = writer.product(on_hand=1)
    before = writer.stock(product["id"])
    body = {"product_id": product["id"], "quantity": 1}
    limited.refused("holdStock", "too-many-requests", json=body)
    assert writer.stock(product["id"]) == before
    with (somebody := Caller(judged["limited_url"], reader.contract, judged["tokens"]["reader"])).http:
        somebody.gets("listProducts", query={"limit": 1})


def connection(url: str) -> socket.socket:
    """A bare connection to the server."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    plain = socket.create_connection((parts.hostname or "", port), timeout=30)
    if parts.scheme == "https":
        return ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
    return plain


def test_a_body_of_ten_million_bytes_is_refused_and_nobody_else_is_disturbed(
    judged: dict[str, Any], writer: Caller
) -> None:
    head = b'{"sku": "TEA", "name": "'
    headers = {"Authorization": f"Bearer {judged['tokens']['writer']}", "Content-Type": "application/json"}
    for content in (head + b"t" * 10_000_000, iter([head, *[b"t" * 100_000] * 100])):
        try:  # by a connection of its own, which may end
            response = httpx2.post(f"{judged['url']}/api/v1/products", content=content, headers=headers, timeout=30)
        except (OSError, httpx2.TransportError):
            continue  # hung up on: nobody need listen to the end
        writer.is_problem(response, "content-too-large")
    writer.gets("listProducts", query={"limit": 1})


@pytest.mark.parametrize("announced", ["Content-Length: 60000", "Transfer-Encoding: chunked"])
def test_who_sends_slowly_keeps_nobody_else_waiting(judged: dict[str, Any], writer: Caller, announced: str) -> None:
    """Forty begin a body and go no further. Others are served all the same."""
    address = urlsplit(judged["url"]).netloc
    begun = [
        "POST /api/v1/products HTTP/1.1",
        f"Host: {address}",
        f"Authorization: Bearer {judged['tokens']['writer']}",
        "Content-Type: application/json",
        announced,
    ]
    with ExitStack() as open_:
        for _ in range(40):
            slow = open_.enter_context(connection(judged["url"]))
            chunk = "5\r\n" if "chunked" in announced else ""
            slow.sendall(("\r\n".join(begun) + f'\r\n\r\n{chunk}{{"sku').encode())
        for _ in range(5):
            assert writer.http.get("/api/v1/products", params={"limit": 1}, timeout=10).status_code == 200
        product = writer.product(on_hand=1)
        assert writer.holds(product["id"])["state"] == "held"
