"""The numbers for an operator."""

import asyncio

import httpx2
import pytest

from tests.conftest import Connect, Serve
from tests.models import times
from tests.serving.test_protocol import X, ask

OPERATOR = {"Authorization": "Bearer a token for the numbers"}


async def test_without_a_token_there_are_no_numbers(anonymous: httpx2.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer None"}, {"Authorization": "Bearer"}):
        assert (await anonymous.get("/metrics", headers=headers)).status_code == 404


async def test_the_numbers_say_what_goes_on(
    anonymous: httpx2.AsyncClient, program: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "a token for the numbers")
    name, client = await serve(times(2)), await program()
    assert (await anonymous.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 404
    await asyncio.gather(*(ask(client, name, X) for _ in range(5)))
    await ask(client, name, X | {"shape": [4]})
    text = (await anonymous.get("/metrics", headers=OPERATOR)).text
    of = f'model="{name}",version="1"'
    assert f"request_seconds_count{{{of}}} 5.0" in text
    assert f'request_seconds_bucket{{le="+Inf",{of}}} 5.0' in text
    assert f"rows_total{{{of}}} 10.0" in text
    assert f"batch_requests_sum{{{of}}} 5.0" in text
    assert f"queue_depth{{{of}}} 0.0" in text
    assert f'failed_total{{{of},why="BadInput"}} 1.0' in text
    for stage in ("queue", "compute_input", "compute_infer", "compute_output"):
        assert f'stage_seconds_total{{model="{name}",stage="{stage}",version="1"}}' in text
