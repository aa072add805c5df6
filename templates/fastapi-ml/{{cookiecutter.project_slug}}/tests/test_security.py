"""The baseline: what every answer carries, and what is refused before any feature is asked."""

import logging

import httpx2
import pytest
from pydantic import SecretStr

from app.database import Database
from app.settings import Settings
from tests.conftest import PATIENCE, a_key, serving

PAGES = ["/", "/docs", "/static/style.css", "/api/v1/openapi.json", "/v2", "/v2/nowhere", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_has_the_headers(anonymous: httpx2.AsyncClient, path: str) -> None:
    headers = (await anonymous.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "server" not in headers


async def test_files_are_asked_for_again_and_data_is_not_kept(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/static/live.js")).headers["cache-control"] == "no-cache"
    assert (await anonymous.get("/api/v1/openapi.json")).headers["cache-control"] == "no-store"


async def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(anonymous: httpx2.AsyncClient) -> None:
    for path in ("/", "/docs"):
        page = (await anonymous.get(path)).text
        assert "<script>" not in page
        assert "style=" not in page
        assert "//" not in page.replace("<!doctype html>", "")


async def test_an_unknown_host_is_refused(anonymous: httpx2.AsyncClient) -> None:
    words = {"/": {"detail": "Invalid host header"}, "/v2": {"error": "Bad Request. Invalid host header."}}
    for path, said in words.items():
        answer = await anonymous.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert said.items() <= answer.json().items()


async def test_a_request_id_is_kept_when_it_is_fit_to_be_logged(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/", headers={"X-Request-ID": "abc-123-def"})).headers["x-request-id"] == "abc-123-def"
    forged = (await anonymous.get("/", headers={"X-Request-ID": 'x" level="ERROR'})).headers["x-request-id"]
    assert len(forged) == 32


@pytest.mark.parametrize(("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
async def test_forwarded_addresses_are_believed_from_listed_proxies_only(
    settings: Settings, caplog: pytest.LogCaptureFixture, trusted: tuple[str, ...], seen: str
) -> None:
    caplog.set_level(logging.INFO, "app.access")
    behind = settings.model_copy(update={"trusted_proxies": trusted})
    async with serving(behind) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        await client.get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert [record.client for record in caplog.records if record.name == "app.access"] == [seen]  # type: ignore[attr-defined]


async def test_logs_have_no_secret(
    database: Database, settings: Settings, anonymous: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = await a_key(database, settings)
    headers = {"Authorization": f"Bearer {key}"}
    await anonymous.get("/v2/models/x?cursor=hidden-in-the-query", headers=headers)
    await anonymous.post("/v2/models/x/infer", json={"inputs": "hidden-in-the-body"}, headers=headers)
    ours = "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("app")
    )
    assert "/v2/models/x" in ours
    for secret in (key, "hidden-in-the-query", "hidden-in-the-body"):
        assert secret not in ours


@pytest.fixture
def production(settings: Settings) -> Settings:
    """The same database, as it would be served to the public behind a proxy on this host."""
    return settings.model_copy(
        update={
            "environment": "production",
            "allowed_hosts": ("models.example",),
            "trusted_proxies": ("127.0.0.1",),
            "secret_key": SecretStr("x" * 32),
        }
    )


async def test_in_production_http_is_sent_to_https(production: Settings) -> None:
    async with serving(production) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        plain = await client.get("/docs", headers={"Host": "models.example"})
        assert (plain.status_code, plain.headers["location"]) == (307, "https://models.example/docs")
        assert "strict-transport-security" not in plain.headers
        secure = await client.get("/docs", headers={"Host": "models.example", "X-Forwarded-Proto": "https"})
        assert secure.status_code == 200
        assert "max-age=31536000" in secure.headers["strict-transport-security"]
        assert (await client.get("/readyz")).status_code == 200
