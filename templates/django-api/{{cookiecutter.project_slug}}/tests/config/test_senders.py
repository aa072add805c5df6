"""Who sends slowly, and who may."""

import socket
import urllib.request
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from accounts.tokens import issue
from tests.processes import Processes

FOREVER = (
    "POST /api/v1/products HTTP/1.1\r\nHost: 127.0.0.1\r\n{}"
    "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{{"
)


@pytest.mark.parametrize("said", ["", "Authorization: Bearer x.y.z\r\n", "Authorization: Bearer stock_x\r\n"])
def test_who_is_not_known_keeps_no_thread_with_a_body_that_does_not_come(processes: Processes, said: str) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(processes.serve(THREADS="2"))
        address = urlsplit(url)
        for _ in range(6):
            slow = stack.enter_context(socket.create_connection((address.hostname, address.port), 10))
            slow.sendall(FOREVER.format(said).encode())
            assert slow.recv(12) == b"HTTP/1.1 401"
        assert urllib.request.urlopen(f"{url}/livez", timeout=10).status == 200


@pytest.mark.django_db(transaction=True)
def test_who_is_known_sends_as_slowly_as_they_like_without_a_connection(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[object] = []

    def read(_request: object) -> bytes:
        held.append(connection.connection)
        return b""

    monkeypatch.setattr("config.body.read", read)
    connection.ensure_connection()
    token = issue("ada", scopes="stock:write", lasts=timedelta(minutes=1))
    Client(headers={"authorization": f"Bearer {token}"}).post("/api/v1/products", b"{}", "application/json")
    assert len(held) == 1
    assert held == [None] or connection.vendor == "sqlite", "of PostgreSQL there are few"
