"""Every error has one form."""

import logging

import httpx2
import pytest
from app.registry import services

from app.logging import AddRequestId
from app.settings import Settings
from tests.conftest import Connect, serving


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/api/v1/models", 405, "method-not-allowed"),
        ("GET", "/api/v1/models", 401, "not-signed-in"),
        ("GET", "/static/nothing.js", 404, "not-found"),
    ],
)
async def test_the_frameworks_errors_are_problems(
    anonymous: httpx2.AsyncClient, method: str, path: str, status: int, kind: str
) -> None:
    answer = await anonymous.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["type"], answer.json()["status"]) == (f"/problems/{kind}", status)


async def test_a_field_error_says_where_and_why(program: Connect) -> None:
    admin = await program("admin")
    answer = await admin.post("/api/v1/models/x/promote", json={"version": "7", "scope": "all"})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"#/version", "#/scope"}


async def test_a_parameter_error_names_the_parameter(program: Connect) -> None:
    answer = await (await program()).get("/api/v1/models?limit=101")
    assert [error["parameter"] for error in answer.json()["errors"]] == ["limit"]


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"text"', b"\xff\xfe", b'{"version": "\\ud800"}'])
async def test_garbage_is_a_problem(program: Connect, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await (await program("admin")).post("/api/v1/models/x/promote", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_database_that_is_gone_is_503(settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/nothing"})
    async with serving(gone) as address, httpx2.AsyncClient(base_url=address) as client:
        answer = await client.get("/api/v1/models", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


async def test_a_fault_of_ours_tells_nothing_of_the_inside(
    program: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    client = await program()
    monkeypatch.setattr(services, "versions", fail)
    caplog.set_level(logging.INFO, "app")
    caplog.handler.addFilter(identify := AddRequestId())
    answer = await client.get("/api/v1/models/x/versions", headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["content-security-policy"]
    logged = [record for record in caplog.records if getattr(record, "request_id", None) == "request-1"]
    assert [record.getMessage().startswith("GET /api/v1/models/x/versions 500 ") for record in logged].count(True) == 1
    assert [record.exc_info is not None for record in logged].count(True) == 1, "the traceback names the request too"
    caplog.handler.removeFilter(identify)
    assert answer.json() == {
        "type": "/problems/internal-server-error",
        "title": "Something went wrong on our side",
        "status": 500,
    }
