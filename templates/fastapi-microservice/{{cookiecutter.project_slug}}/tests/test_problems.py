"""Every error has one form."""

import logging

import httpx2
import pytest

from app import pages
from app.logging import AddRequestId
from app.settings import Settings
from tests.conftest import PATIENCE, Serve, serving
from tests.models import times


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("PUT", "/live", 405, "method-not-allowed"),
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


async def test_a_database_that_is_gone_is_503(settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/nothing"})
    async with serving(gone) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        answer = await client.get("/v2/models/x", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


async def test_a_fault_of_ours_tells_nothing_of_the_inside(
    anonymous: httpx2.AsyncClient, serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    await serve(times(2))
    monkeypatch.setattr(pages, "_live", fail)
    caplog.set_level(logging.INFO, "app")
    caplog.handler.addFilter(identify := AddRequestId())
    answer = await anonymous.get("/live", headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["content-security-policy"]
    logged = [record for record in caplog.records if getattr(record, "request_id", None) == "request-1"]
    assert [record.getMessage().startswith("GET /live 500 ") for record in logged].count(True) == 1
    assert [record.exc_info is not None for record in logged].count(True) == 1, "the traceback names the request too"
    caplog.handler.removeFilter(identify)
    assert answer.json() == {
        "type": "/problems/internal-server-error",
        "title": "Something went wrong on our side",
        "status": 500,
    }
