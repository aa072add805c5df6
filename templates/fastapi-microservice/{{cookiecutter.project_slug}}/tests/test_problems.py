"""Every error has one form."""

import asyncio
import logging
from typing import Any

import httpx2
import pytest
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import InternalError
from sqlalchemy.util import await_

from app.auth.issuer import issue
from app.logging import AddRequestId
from app.products import services
from app.settings import Settings
from tests.conftest import HOUR, Connect, a_product, serving


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/", 405, "method-not-allowed"),
        ("GET", "/static/nothing.js", 404, "not-found"),
        ("GET", "/api/v1/products/", 404, "not-found"),
    ],
)
async def test_the_frameworks_errors_are_problems(
    anonymous: httpx2.AsyncClient, method: str, path: str, status: int, kind: str
) -> None:
    answer = await anonymous.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["type"], answer.json()["status"]) == (f"/problems/{kind}", status)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_405_names_everything_that_a_path_knows(anonymous: httpx2.AsyncClient, method: str) -> None:
    answer = await anonymous.request(method, "/api/v1/products")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_database_that_is_gone_is_503(settings: Settings, program: Connect) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/nothing"})
    async with serving(gone) as address:
        answer = await (await program(at=address)).get("/api/v1/products")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


class EndedError(Exception):
    """As a driver names it that somebody ended the connection."""

    sqlstate = "25P03"


@pytest.mark.parametrize(("gone", "status"), [(True, 503), (False, 500)])
async def test_a_connection_that_was_ended_is_503_and_its_words_are_not_logged(
    writer: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    gone: bool,
    status: int,
) -> None:
    async def fail(*_: object) -> None:
        raise InternalError("SELECT", {}, EndedError("what people wrote"), connection_invalidated=gone)

    monkeypatch.setattr(services, "product", fail)
    assert (await writer.get("/api/v1/products/1")).status_code == status
    if gone:
        assert "The database does not answer: EndedError 25P03" in caplog.text
        assert "what people wrote" not in caplog.text


async def test_a_fault_of_ours_tells_nothing_of_the_inside(
    writer: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(services, "product", fail)
    caplog.set_level(logging.INFO, "app")
    caplog.handler.addFilter(identify := AddRequestId())
    answer = await writer.get("/api/v1/products/1", headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["content-security-policy"]
    assert answer.headers["ratelimit"], "a caller who is known is told what is left, whatever went wrong"
    logged = [record for record in caplog.records if getattr(record, "request_id", None) == "request-1"]
    assert [record.getMessage().startswith("GET /api/v1/products/1 500 ") for record in logged].count(True) == 1
    assert [record.exc_info is not None for record in logged].count(True) == 1, "the traceback names the request too"
    caplog.handler.removeFilter(identify)
    assert answer.json() == {
        "type": "/problems/internal-server-error",
        "title": "Something went wrong on our side",
        "status": 500,
    }


@pytest.mark.parametrize("depth", [100, 10_000, 30_000])
async def test_a_value_that_is_nested_deep_is_refused(writer: httpx2.AsyncClient, depth: int) -> None:
    body = b'{"name": "Tea", "sku": ' + b"[" * depth + b"]" * depth + b"}"
    answer = await writer.post("/api/v1/products", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), "where the parser gives up is Python's"
    assert (await writer.get("/api/v1/products")).status_code == 200


async def test_a_request_has_a_deadline(settings: Settings, program: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = settings.model_copy(update={"deadline_seconds": 0.3})

    async def hang(*_: object) -> None:
        await asyncio.sleep(30)

    async with serving(hasty) as address:
        client = await program(at=address)
        product = await a_product(client)
        monkeypatch.setattr(services, "product", hang)
        answer = await client.get(f"/api/v1/products/{product['id']}")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert answer.headers["retry-after"]
        monkeypatch.undo()
        assert (await client.get(f"/api/v1/products/{product['id']}")).status_code == 200


async def test_a_commit_is_not_cut_by_the_deadline(
    settings: Settings, program: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the answer would be that nothing was done, while it was."""
    hasty, commit = settings.model_copy(update={"deadline_seconds": 0.5}), DefaultDialect.do_commit

    def slowly(*given: Any) -> None:
        commit(*given)  # type: ignore[no-untyped-call]
        await_(asyncio.sleep(0.8))

    async with serving(hasty) as address:
        client = await program(at=address)
        await a_product(client)
        monkeypatch.setattr(DefaultDialect, "do_commit", slowly)
        await a_product(client, sku="SLOW")


async def test_a_body_that_comes_slowly_has_the_same_deadline(settings: Settings) -> None:
    hasty = settings.model_copy(update={"deadline_seconds": 0.3})
    token = issue(settings, "writer", lasts=HOUR)
    async with serving(hasty) as address:
        reader, connection = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        head = f"POST /api/v1/products HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        head += 'Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{"sku": '
        connection.write(head.encode())
        async with asyncio.timeout(10):
            assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
        connection.close()
