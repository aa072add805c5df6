"""Challengers: a shadow is compared and never holds anybody up; a split answers for its share."""

import asyncio
import time
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import IntegrityError

from app.challenger import services
from app.challenger.errors import NoChallenger
from app.challenger.services import Mode
from app.database import Database
from app.registry.errors import VersionNotFound
from app.settings import Settings
from tests.conftest import Connect, Serve
from tests.models import logarithm, times
from tests.serving.test_protocol import X, ask


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LOOK_EVERY", 0.05)


async def challenged(database: Database, name: str, mode: Mode, share: float = 1.0) -> None:
    await services.challenge(database, name=name, number=2, mode=mode, share=share)
    await asyncio.sleep(2.5)  # the process looks, even on a busy machine


async def report(client: httpx2.AsyncClient, name: str, *, requests: int, rows: int = 0) -> dict[str, Any]:
    """How the challenger did, once it was asked so often, and answered for so many rows or failed."""
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await client.get(f"/api/v1/models/{name}/challenger")).json()
            answered = found["mode"] == "split" or found["rows"] + found["failed"] >= rows
            if found["requests"] + found["dropped"] >= requests and answered:
                return found
            await asyncio.sleep(0.05)


async def test_it_is_for_who_is_known(anonymous: httpx2.AsyncClient, program: Connect) -> None:
    assert (await anonymous.get("/api/v1/models/x/challenger")).status_code == 401
    answer = await (await program()).get("/api/v1/models/x/challenger")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-challenger")


async def test_a_shadow_is_compared_and_the_primary_answers(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2), times(2.5)), await program()
    await challenged(database, name, "shadow")
    for _ in range(10):
        assert (await ask(client, name, X)).json()["model_version"] == "1"
    found = await report(client, name, requests=10, rows=20)
    assert (found["version"], found["mode"], found["requests"], found["failed"]) == (2, "shadow", 10, 0)
    assert (found["rows"], found["agreed"], found["largest"]) == (20, 0, 2.0)


async def test_a_shadow_that_is_the_same_agrees(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2), times(2.00001)), await program()
    await challenged(database, name, "shadow")
    await ask(client, name, X)
    found = await report(client, name, requests=1, rows=2)
    assert (found["rows"], found["agreed"]) == (2, 2)


async def test_a_shadow_that_cannot_keep_up_is_left_out(
    program: Connect, serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_AT_ONCE", 0)
    name, client = await serve(times(2), times(3)), await program()
    await challenged(database, name, "shadow")
    started = time.perf_counter()
    for _ in range(5):
        assert (await ask(client, name, X)).status_code == 200
    assert time.perf_counter() - started < 2
    found = await report(client, name, requests=5)
    assert (found["requests"], found["dropped"]) == (0, 5)


async def test_a_shadow_that_fails_harms_nobody(program: Connect, serve: Serve, database: Database) -> None:
    name = await serve(logarithm(), squared())
    client = await program()
    await challenged(database, name, "shadow")
    row = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [3e30]}
    assert (await ask(client, name, row)).status_code == 200
    found = await report(client, name, requests=1, rows=1)
    assert (found["failed"], found["rows"]) == (1, 0)


async def test_a_challenger_that_cannot_be_loaded_stands_in_for_nobody(
    program: Connect, serve: Serve, database: Database, settings: Settings
) -> None:
    name, client = await serve(times(2), times(3)), await program()
    path = settings.model_folder / f"{times(3).sha256}.onnx"
    content = path.read_bytes()
    path.unlink()
    await challenged(database, name, "split")
    answers = [await ask(client, name, X) for _ in range(5)]
    path.write_bytes(content)
    assert [answer.json()["model_version"] for answer in answers] == ["1"] * 5
    assert (await client.get(f"/v2/models/{name}/ready")).status_code == 200


def squared() -> Any:
    """y = x², which is no number for large ones."""
    from onnx import helper  # noqa: PLC0415

    from tests.models import made, onnx_file  # noqa: PLC0415

    takes, gives = [("x", "FP32", [-1, 1])], [("y", "FP32", [-1, 1])]
    content = onnx_file([helper.make_node("Mul", ["x", "x"], ["y"])], takes, gives)
    return made(content, takes, gives, {"x": [[1.0], [2.0]]})


async def test_a_split_answers_for_its_share(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2), times(3)), await program()
    await challenged(database, name, "split", 0.5)
    versions = [(await ask(client, name, X)).json()["model_version"] for _ in range(200)]
    assert 60 < versions.count("2") < 140
    answer = await client.post(f"/v2/models/{name}/versions/1/infer", json={"inputs": [X]})
    assert answer.json()["model_version"] == "1", "who names a version gets it"
    assert (await report(client, name, requests=versions.count("2")))["requests"] == versions.count("2")


async def test_when_it_ends_the_primary_answers_alone(program: Connect, serve: Serve, database: Database) -> None:
    name, client = await serve(times(2), times(3)), await program()
    await challenged(database, name, "split")
    assert (await ask(client, name, X)).json()["model_version"] == "2"
    await services.end(database, name=name)
    await asyncio.sleep(2.5)  # the process looks, even on a busy machine
    assert (await ask(client, name, X)).json()["model_version"] == "1"
    with pytest.raises(NoChallenger):
        await services.end(database, name=name)


async def test_a_challenger_is_a_version_with_a_share(serve: Serve, database: Database) -> None:
    name = await serve(times(2))
    with pytest.raises(VersionNotFound):
        await services.challenge(database, name=name, number=2, mode="shadow", share=1)
    with pytest.raises(IntegrityError):
        await services.challenge(database, name=name, number=1, mode="shadow", share=0)
