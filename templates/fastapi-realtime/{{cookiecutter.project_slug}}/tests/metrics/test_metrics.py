"""The numbers for an operator."""

import httpx2
import pytest

from app.settings import Settings
from tests.conftest import Meet, serving
from tests.live.fixtures import Connect
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room


async def test_without_a_token_there_are_no_numbers(anonymous: httpx2.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer None"}, {"Authorization": "Bearer"}):
        assert (await anonymous.get("/metrics", headers=headers)).status_code == 404


async def test_the_numbers_say_what_goes_on(
    meet: Meet, online: Connect, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "a token for the numbers")
    ada = await meet("ada")
    path = await make_room(ada)
    async with (
        serving(settings) as here,
        online(ada, at=here) as client,
        online(ada, at=here),
        httpx2.AsyncClient(base_url=here) as operator,
    ):
        assert (await operator.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 404
        await client.follow(room_id(path))
        ada.client.base_url = here
        await say(ada, path, "hello")
        await client.until(2)
        text = (await operator.get("/metrics", headers={"Authorization": "Bearer a token for the numbers"})).text
    assert 'connections{kind="socket"} 2.0' in text
    assert "queue_depth 0.0" in text
    assert "fan_out_seconds_count 1.0" in text
    assert 'live_total{what="resumed from the ring"} 1.0' in text
