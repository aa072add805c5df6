"""Who gets a socket, and who is told why not."""

import json
from collections.abc import Mapping

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.conftest import Meet


async def refused(server: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status and the type of the problem that a handshake is answered with."""
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(server.replace("http", "ws") + "/ws", additional_headers=headers, proxy=None):
            pass
    response = refusal.value.response
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, json.loads(response.body)["type"]


async def test_nobody_gets_no_socket(server: str) -> None:
    assert await refused(server, {}) == (401, "/problems/not-signed-in")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_another_site_gets_no_socket_with_my_cookie(meet: Meet, server: str, origin: str) -> None:
    ada = await meet("ada")
    headers = {"Cookie": ada.cookie, "Origin": origin}
    assert await refused(server, headers) == (403, "/problems/cross-site-request")


async def test_a_wrong_token_does_not(server: str) -> None:
    assert await refused(server, {"Authorization": "Bearer forged"}) == (401, "/problems/not-signed-in")


async def test_a_cookie_of_an_ended_session_does_not(meet: Meet, server: str) -> None:
    ada = await meet("ada")
    cookie = ada.cookie
    await ada.client.delete("/api/v1/session")
    assert (await refused(server, {"Cookie": cookie}))[0] == 401
