"""What only servers in processes of their own can show."""

import json
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from email.message import Message
from typing import Any

import psycopg
import pytest
from django.db import connection

from accounts.tokens import issue
from tests import servers
from tests.conftest import BOTH, HOUR
from tests.processes import Processes


def ask(url: str, body: object = None, **headers: str) -> tuple[int, Message, Any]:
    """Status, headers and body of an answer; a body makes it a POST with a key of its own."""
    sent = {"Authorization": f"Bearer {issue('ada', scopes=BOTH, lasts=HOUR)}", **headers}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, sent)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def test_two_processes_count_together(processes: Processes) -> None:
    with processes.serve(RATE_LIMIT="10/3600") as one, processes.serve(RATE_LIMIT="10/3600") as other:
        seen = [ask(f"{url}/api/v1/products?limit=1")[0] for url in (one, other) * 7]
    assert (seen.count(200), seen.count(429)) == (10, 4), "or the hour has ended just now"
    assert seen[-1] == 429


def test_a_server_that_is_told_to_end_finishes_what_it_has_begun(processes: Processes) -> None:
    """Twenty ask without a pause while one of two servers ends: everybody who was let in is answered."""
    port = servers.free_port()
    going = processes.start("serve", HOST="127.0.0.1", PORT=str(port), RATE_LIMIT="1000000/60")
    servers.wait_until(lambda: servers.listening(port), going)
    answered, wrong = [0], list[object]()
    product = ask(f"http://127.0.0.1:{port}/api/v1/products", {"sku": f"D{uuid.uuid4().hex.upper()}", "name": "x"})[2]
    over = threading.Event()

    def work() -> None:
        body = {"kind": "receive", "quantity": 1}
        while not over.is_set():
            try:
                status, *_ = ask(f"http://127.0.0.1:{port}/api/v1/products/{product['id']}/movements", body)
            except urllib.error.URLError as error:
                # Nobody listens any more, which a load balancer sees before; what was accepted is another matter.
                if isinstance(error.reason, ConnectionRefusedError):
                    return
                wrong.append(error)
                return
            except OSError as error:
                wrong.append(error)
                return
            if status == 503 and connection.vendor == "sqlite":
                continue  # who waits two seconds for the one writer is told to come again
            if status != 201:
                wrong.append(status)
            answered[0] += 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    going.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    over.set()
    assert going.wait(20) == 0
    assert wrong == []
    assert answered[0] > 20
    with processes.serve() as url:
        now = ask(f"{url}/api/v1/products/{product['id']}")[2]
    assert now["on_hand"] == answered[0], "who was answered was served, and nobody else"


def eventually(url: str, wanted: int) -> dict[str, Any]:
    """What a probe says, once it has this status."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status, _, said = ask(url)
        if status == wanted:
            found: dict[str, Any] = said
            return found
        time.sleep(0.2)
    raise AssertionError(f"{url} does not say {wanted}")


@pytest.fixture
def gone(processes: Processes) -> Iterator[Any]:
    """`gone(True)`: the database lets nobody in; `gone(False)`: it does again."""
    server, name = processes.env["DATABASE_URL"].rpartition("/")[::2]

    def change(is_gone: bool) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {"false" if is_gone else "true"}')
            if is_gone:
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    yield change
    change(is_gone=False)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file does not go; tested with --database postgresql")
def test_readyz_says_when_the_database_goes_and_when_it_returns(processes: Processes, gone: Any) -> None:
    with processes.serve() as url:
        assert eventually(f"{url}/readyz", 200)["status"] == "ready"
        assert ask(f"{url}/api/v1/products")[0] == 200
        gone(is_gone=True)
        assert eventually(f"{url}/readyz", 503)["checks"] == {"database": "does not answer"}
        status, headers, said = ask(f"{url}/api/v1/products")
        assert (status, said["type"]) == (503, "/problems/unavailable")
        assert headers["Retry-After"]
        assert ask(f"{url}/livez")[0] == 200
        gone(is_gone=False)
        assert eventually(f"{url}/readyz", 200)["status"] == "ready"
        eventually(f"{url}/api/v1/products", 200)
