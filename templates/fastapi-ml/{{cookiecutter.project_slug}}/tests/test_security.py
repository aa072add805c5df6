"""The baseline: what every answer carries, and what is refused before any feature is asked."""

import logging

import httpx2
import pytest
from pydantic import SecretStr

from app.settings import Settings
from tests.conftest import PASSWORD, Meet, serving

PAGES = ["/", "/docs", "/static/style.css", "/api/v1/rooms", "/nowhere"]
SIGN_IN = {"name": "nobody", "password": "whatever it is"}


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_has_the_headers(anonymous: httpx2.AsyncClient, path: str) -> None:
    headers = (await anonymous.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "server" not in headers


async def test_files_are_asked_for_again_and_data_is_not_kept(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/static/rooms.js")).headers["cache-control"] == "no-cache"
    assert (await anonymous.get("/api/v1/rooms")).headers["cache-control"] == "no-store"


async def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(anonymous: httpx2.AsyncClient) -> None:
    for path in ("/", "/docs"):
        page = (await anonymous.get(path)).text
        assert "<script>" not in page
        assert "style=" not in page
        assert "//" not in page.replace("<!doctype html>", "")


async def test_an_unknown_host_is_refused(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/", headers={"Host": "evil.example"})).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
async def test_another_site_cannot_act_in_my_name(meet: Meet, headers: dict[str, str]) -> None:
    ada = await meet("ada")
    answer = await ada.client.post("/api/v1/rooms", json={"name": "Trap"}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/cross-site-request")
    assert (await ada.client.get("/api/v1/rooms")).json()["items"] == []


async def test_our_own_pages_and_programs_can(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    for headers in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": server}, {"Origin": server}):
        assert (await ada.client.post("/api/v1/rooms", json={"name": "Ours"}, headers=headers)).status_code == 201


async def test_another_site_may_link_to_us(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


@pytest.mark.parametrize("told", [True, False])
async def test_a_long_body_is_refused(anonymous: httpx2.AsyncClient, told: bool) -> None:
    async def drip() -> object:
        for _ in range(70):
            yield b" " * 1024

    answer = await anonymous.post("/api/v1/session", content=b" " * 70 * 1024 if told else drip())  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "65536" in answer.json()["detail"]


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
    async with serving(behind) as address, httpx2.AsyncClient(base_url=address) as client:
        await client.get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert [record.client for record in caplog.records if record.name == "app.access"] == [seen]  # type: ignore[attr-defined]


async def test_logs_have_no_secret(meet: Meet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ada = await meet("ada")
    await ada.client.get("/api/v1/rooms?cursor=hidden-in-the-query", headers={"Authorization": "Bearer hidden-token"})
    ours = "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("app")
    )
    assert "/api/v1/rooms" in ours
    for secret in (PASSWORD, "hidden-token", ada.client.cookies["session"], "hidden-in-the-query"):
        assert secret not in ours


@pytest.fixture
def production(settings: Settings) -> Settings:
    """The same database, as it would be served to the public behind a proxy on this host."""
    return settings.model_copy(
        update={
            "environment": "production",
            "allowed_hosts": ("rooms.example",),
            "trusted_proxies": ("127.0.0.1",),
            "secret_key": SecretStr("x" * 32),
        }
    )


async def test_in_production_http_is_sent_to_https(production: Settings) -> None:
    async with serving(production) as address, httpx2.AsyncClient(base_url=address) as client:
        plain = await client.get("/docs", headers={"Host": "rooms.example"})
        assert (plain.status_code, plain.headers["location"]) == (307, "https://rooms.example/docs")
        assert "strict-transport-security" not in plain.headers
        secure = await client.get("/docs", headers={"Host": "rooms.example", "X-Forwarded-Proto": "https"})
        assert secure.status_code == 200
        assert "max-age=31536000" in secure.headers["strict-transport-security"]
        assert (await client.get("/readyz")).status_code == 200


async def test_in_production_the_cookie_is_bound_to_host_and_https(production: Settings, meet: Meet) -> None:
    await meet("ada")
    headers = {"Host": "rooms.example", "X-Forwarded-Proto": "https", "Origin": "https://rooms.example"}
    async with serving(production) as address, httpx2.AsyncClient(base_url=address, headers=headers) as client:
        answer = await client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
