"""Tokens for programs."""

import json
import uuid

import httpx2
from websockets.asyncio.client import connect

from app.live.hub import SIGNED_OUT
from app.pagination import encode
from tests.conftest import Meet
from tests.live.fixtures import Connect

URL = "/api/v1/tokens"


async def test_nobody_makes_a_token(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.post(URL, json={"label": "script"})).status_code == 401


async def test_a_token_stands_for_its_maker(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    ada = await meet("ada")
    secret = (await ada.client.post(URL, json={"label": "script"})).json()["secret"]
    answer = await anonymous.get("/api/v1/session", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["name"] == "ada"


async def test_a_token_makes_no_tokens(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    ada = await meet("ada")
    secret = (await ada.client.post(URL, json={"label": "script"})).json()["secret"]
    answer = await anonymous.post(URL, json={"label": "more"}, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/browser-only")


async def test_a_secret_is_shown_once(meet: Meet) -> None:
    ada = await meet("ada")
    made = (await ada.client.post(URL, json={"label": "script", "days": 1})).json()
    listed = (await ada.client.get(URL)).json()["items"]
    assert [token["id"] for token in listed] == [made["id"]]
    assert "secret" not in listed[0]


async def test_a_revoked_token_is_nobody(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    ada = await meet("ada")
    made = (await ada.client.post(URL, json={"label": "script"})).json()
    assert (await ada.client.delete(f"{URL}/{made['id']}")).status_code == 204
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert (await anonymous.get("/api/v1/session", headers=headers)).status_code == 401
    assert (await ada.client.get(URL)).json()["items"] == []
    assert (await ada.client.delete(f"{URL}/{made['id']}")).status_code == 404


async def test_somebody_elses_token_is_not_there(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    made = (await ada.client.post(URL, json={"label": "script"})).json()
    assert (await grace.client.delete(f"{URL}/{made['id']}")).status_code == 404
    assert (await grace.client.get(URL)).json()["items"] == []
    assert (await ada.client.delete(f"{URL}/{uuid.uuid4()}")).status_code == 404


async def test_a_cookie_is_no_token_and_a_token_no_cookie(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    ada = await meet("ada")
    secret = (await ada.client.post(URL, json={"label": "script"})).json()["secret"]
    cookie = ada.client.cookies["session"]
    for headers in ({"Authorization": f"Bearer {cookie}"}, {"Cookie": f"session={secret}"}):
        assert (await anonymous.get("/api/v1/session", headers=headers)).status_code == 401


async def test_pages_of_tokens_have_each_once(meet: Meet) -> None:
    ada = await meet("ada")
    made = [(await ada.client.post(URL, json={"label": f"script {n}"})).json()["id"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = (await ada.client.get(f"{URL}?limit=2{cursor}")).json()
        seen += [token["id"] for token in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]


async def test_a_cursor_that_is_not_ours_is_refused(meet: Meet) -> None:
    ada = await meet("ada")
    for cursor in (
        "x",
        "bm9uc2Vuc2U",
        "WzFd",
        "WyJhIiwgImIiXQ",
        "W10",
        "é",
        "=",
        encode(["0001-01-01T00:00:00+14:00", str(uuid.uuid4())]),
    ):
        answer = await ada.client.get(URL, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-cursor"), cursor


async def test_a_token_opens_a_socket(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    secret = (await ada.client.post("/api/v1/tokens", json={"label": "bot"})).json()["secret"]
    headers = {"Authorization": f"Bearer {secret}"}
    async with connect(server.replace("http", "ws") + "/ws", additional_headers=headers, proxy=None) as socket:
        hello = json.loads(await socket.recv())
    assert hello == {"v": 1, "type": "hello", "you": {"id": str(ada.id), "name": "ada"}}


async def test_revoking_a_token_closes_its_sockets_and_no_others(meet: Meet, online: Connect, server: str) -> None:
    ada = await meet("ada")
    made = (await ada.client.post(URL, json={"label": "bot"})).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    address = server.replace("http", "ws") + "/ws"
    async with online(ada) as client, connect(address, additional_headers=headers, proxy=None) as bot:
        await ada.client.delete(f"{URL}/{made['id']}")
        await bot.wait_closed()
        assert bot.close_code == SIGNED_OUT
        await client.send(type="ping")
        await client.next("pong")
