"""Signing in and out."""

import asyncio
import hashlib
import time
from datetime import timedelta
from typing import Literal

import httpx2
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import select, update

from app.accounts import services
from app.accounts.errors import UserNotFound
from app.accounts.models import Session, SignInAttempts
from app.database import Database, now
from app.settings import Settings
from tests.accounts.conftest import PASSWORD, Meet
from tests.conftest import PATIENCE, Connect, serving

URL = "/api/v1/session"


async def sign_in(client: httpx2.AsyncClient, name: str = "ada", password: str = PASSWORD) -> httpx2.Response:
    return await client.post(URL, json={"name": name, "password": password})


async def test_nobody_is_signed_in_at_first(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get(URL)).status_code == 401
    assert "Sign in" in (await anonymous.get("/staff")).text


async def test_who_signs_in_is_known(meet: Meet) -> None:
    ada = await meet("ada")
    assert (await ada.client.get(URL)).json() == {"id": str(ada.id), "name": "ada"}
    assert "You are ada." in (await ada.client.get("/staff")).text


async def test_the_cookie_is_out_of_reach_for_scripts(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    await meet("ada")
    cookie = (await sign_in(anonymous)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_a_name_is_the_same_in_capitals(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    await meet("ada")
    assert (await sign_in(anonymous, name="Ada")).status_code == 201


@pytest.mark.parametrize(("name", "password"), [("ada", "not her password"), ("nobody", PASSWORD)])
async def test_what_is_wrong_is_not_told(meet: Meet, anonymous: httpx2.AsyncClient, name: str, password: str) -> None:
    await meet("ada")
    answer = await sign_in(anonymous, name, password)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/wrong-name-or-password")
    assert "set-cookie" not in answer.headers


async def test_an_unknown_name_costs_as_much_as_a_known_one(
    meet: Meet, anonymous: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await meet("ada")
    checked: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  argon2's name
            checked.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(services, "passwords", Counting(time_cost=1, memory_cost=8, parallelism=1))
    await sign_in(anonymous, "ada", "wrong")
    await sign_in(anonymous, "nobody", "wrong")
    assert len(checked) == 2
    assert all(hashed.startswith("$argon2id$") for hashed in checked)


async def test_signing_in_changes_the_session_and_ends_the_old_one(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    before = ada.client.cookies["session"]
    await sign_in(ada.client)
    assert ada.client.cookies["session"] != before
    async with httpx2.AsyncClient(base_url=server, headers={"Cookie": f"session={before}"}, timeout=PATIENCE) as stolen:
        assert (await stolen.get(URL)).status_code == 401


async def test_signing_out_ends_the_session_on_the_server(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    cookie = ada.cookie
    assert (await ada.client.delete(URL)).status_code == 204
    assert "session" not in ada.client.cookies
    async with httpx2.AsyncClient(base_url=server, headers={"Cookie": cookie}, timeout=PATIENCE) as kept:
        assert (await kept.get(URL)).status_code == 401


async def test_a_session_expires(meet: Meet, database: Database) -> None:
    ada = await meet("ada")
    async with database.write() as session:
        await session.execute(update(Session).values(expires_at=now() - timedelta(seconds=1)))
    assert (await ada.client.get(URL)).status_code == 401


async def test_the_database_does_not_have_the_secret(meet: Meet, database: Database) -> None:
    ada = await meet("ada")
    secret = ada.client.cookies["session"]
    async with database.read() as session:
        kept = (await session.scalars(select(Session.digest))).one()
    assert secret.encode() not in kept
    assert kept != hashlib.sha256(secret.encode()).digest(), "without the key it could be tried out"


async def test_another_key_ends_every_session(meet: Meet, settings: Settings) -> None:
    ada = await meet("ada")
    other = settings.model_copy(update={"secret_key": settings.secret_key.__class__("y" * 40)})
    async with serving(other) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        assert (await client.get(URL, headers={"Cookie": ada.cookie})).status_code == 401


async def test_the_sixth_guess_is_not_looked_at(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    await meet("ada")
    for _ in range(5):
        assert (await sign_in(anonymous, password="a wrong guess")).status_code == 401
    answer = await sign_in(anonymous)
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert (await sign_in(anonymous, name="grace")).status_code == 401, "others are not locked out"


async def test_guesses_at_once_are_counted_one_by_one(meet: Meet, server: str) -> None:
    await meet("ada")
    async with httpx2.AsyncClient(base_url=server, timeout=PATIENCE) as client:
        answers = await asyncio.gather(*(sign_in(client, password=f"guess {number}") for number in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_guesses_are_counted_across_processes(
    meet: Meet, settings: Settings, anonymous: httpx2.AsyncClient
) -> None:
    await meet("ada")
    for _ in range(5):
        await sign_in(anonymous, password="a wrong guess")
    async with serving(settings) as another, httpx2.AsyncClient(base_url=another, timeout=PATIENCE) as client:
        assert (await sign_in(client)).status_code == 429


async def test_the_right_password_forgets_the_wrong_ones(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    await meet("ada")
    for _ in range(3):
        for _ in range(4):
            await sign_in(anonymous, password="a wrong guess")
        assert (await sign_in(anonymous)).status_code == 201


async def test_the_window_passes(meet: Meet, anonymous: httpx2.AsyncClient, database: Database) -> None:
    await meet("ada")
    await sign_in(anonymous, name="grace")
    for _ in range(6):
        await sign_in(anonymous, password="a wrong guess")
    async with database.write() as session:
        await session.execute(update(SignInAttempts).values(window_ends_at=now() - timedelta(seconds=1)))
    assert (await sign_in(anonymous)).status_code == 201
    async with database.read() as session:
        kept = (await session.scalars(select(SignInAttempts.key))).all()
    assert not [key for key in kept if "grace" in key], "what is over is swept away"


def test_neighbours_in_one_ipv6_network_are_counted_together() -> None:
    assert services._network("2001:db8::1") == services._network("2001:db8::ffff")  # noqa: SLF001
    assert services._network("2001:db8::1") != services._network("2001:db8:0:1::1")  # noqa: SLF001
    assert services._network("::ffff:203.0.113.9") == "203.0.113.9"  # noqa: SLF001
    assert services._network("not an address") == "unknown"  # noqa: SLF001


async def test_an_office_behind_one_address_may_sign_in(meet: Meet, server: str) -> None:
    people = [await meet(f"colleague{number}") for number in range(3)]
    async with httpx2.AsyncClient(base_url=server, timeout=PATIENCE) as office:
        for _ in range(18):
            for person in people:
                assert (await sign_in(office, person.name)).status_code == 201


async def test_a_new_password_ends_every_session(meet: Meet, database: Database) -> None:
    ada = await meet("ada")
    await services.set_password(database, name="ada", password="another good password")
    assert (await ada.client.get(URL)).status_code == 401
    with pytest.raises(UserNotFound):
        await services.set_password(database, name="nobody", password="another good password")


async def test_hashing_does_not_hold_up_others(anonymous: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: object) -> bool:
        time.sleep(0.5)
        return False

    monkeypatch.setattr(services, "_verify", work)
    slow = asyncio.create_task(sign_in(anonymous))
    await asyncio.sleep(0.1)
    assert (await anonymous.get("/livez")).status_code == 200
    assert not slow.done()
    await slow


async def test_in_production_the_cookie_is_bound_to_host_and_https(settings: Settings, meet: Meet) -> None:
    await meet("ada")
    changed = {
        "environment": "production",
        "allowed_hosts": ("models.example",),
        "trusted_proxies": ("127.0.0.1",),
        "secret_key": SecretStr("x" * 32),
    }
    production = settings.model_copy(update=changed)
    headers = {"Host": "models.example", "X-Forwarded-Proto": "https", "Origin": "https://models.example"}
    async with (
        serving(production) as address,
        httpx2.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE) as client,
    ):
        answer = await client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


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
    again = {"name": "ada", "password": PASSWORD}
    answers = [
        await ada.client.post("/staff/x/promote", data={"version": 1}, headers=headers),
        await ada.client.post("/v2/models/x/infer", json={}, headers=headers),
        await ada.client.delete("/api/v1/session", headers=headers),
        await ada.client.post("/api/v1/session", json=again, headers=headers),
    ]
    ada.client.cookies.clear()  # nor sign me in, so that I do what I do in somebody else's name
    answers.append(await ada.client.post("/api/v1/session", json=again, headers=headers))
    assert [answer.status_code for answer in answers] == [403] * 5
    assert answers[0].json()["type"] == "/problems/cross-site-request"
    assert (await ada.client.post("/staff/sign-in", data=again, headers=headers)).status_code == 403


async def test_our_own_pages_can_and_others_may_link_to_us(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    for headers in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": server}, {"Origin": server}):
        assert (await ada.client.post("/v2/models/x/infer", json={}, headers=headers)).status_code == 404
    assert (await ada.client.get("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_a_program_has_no_cookie_to_misuse(program: Connect) -> None:
    headers = {"Origin": "https://evil.example"}
    assert (await (await program()).post("/v2/models/x/infer", json={}, headers=headers)).status_code == 404
