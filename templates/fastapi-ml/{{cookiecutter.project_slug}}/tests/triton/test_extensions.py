"""Triton's extensions, by its own client: configuration, statistics, and the repository."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import numpy as np
import pytest
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

from app.database import Database
from app.settings import Settings
from tests.conftest import Serve, a_key
from tests.models import times


@pytest.fixture
async def client(server: str) -> AsyncIterator[aio.InferenceServerClient]:
    async with aio.InferenceServerClient(urlsplit(server).netloc) as made:
        yield made


async def key(database: Database, settings: Settings, scope: str = "predict") -> dict[str, str]:
    return {"Authorization": f"Bearer {await a_key(database, settings, scope)}"}  # type: ignore[arg-type]


async def infer(client: aio.InferenceServerClient, name: str, headers: dict[str, str]) -> None:
    tensor = aio.InferInput("x", [3, 2], "FP32")
    tensor.set_data_from_numpy(np.ones((3, 2), np.float32))
    await client.infer(name, [tensor], headers=headers)


async def test_they_are_for_who_has_a_key(client: aio.InferenceServerClient) -> None:
    for question in (
        client.get_model_config("x"),
        client.get_inference_statistics(),
        client.get_model_repository_index(),
    ):
        with pytest.raises(InferenceServerException, match="not signed in"):
            await question


async def test_the_configuration(
    client: aio.InferenceServerClient, serve: Serve, database: Database, settings: Settings
) -> None:
    name, headers = await serve(times(2)), await key(database, settings)
    config = await client.get_model_config(name, headers=headers)
    assert (config["max_batch_size"], config["input"]) == (64, [{"name": "x", "data_type": "TYPE_FP32", "dims": [2]}])


async def test_statistics_count_rows_and_runs(
    client: aio.InferenceServerClient, serve: Serve, database: Database, settings: Settings
) -> None:
    name, headers = await serve(times(2)), await key(database, settings)
    for _ in range(4):
        await infer(client, name, headers)
    (stats,) = (await client.get_inference_statistics(name, headers=headers))["model_stats"]
    assert (stats["name"], stats["version"]) == (name, "1")
    assert (stats["inference_count"], stats["execution_count"]) == (12, 4)
    assert stats["inference_stats"]["success"]["count"] == 4
    assert stats["inference_stats"]["compute_infer"]["ns"] > 0
    assert [(each["batch_size"], each["compute_infer"]["count"]) for each in stats["batch_stats"]] == [(3, 4)]
    assert name in {each["name"] for each in (await client.get_inference_statistics(headers=headers))["model_stats"]}


async def test_a_model_is_unloaded_and_loaded_by_admins_only(
    client: aio.InferenceServerClient, serve: Serve, database: Database, settings: Settings
) -> None:
    name, headers = await serve(times(2), times(3)), await key(database, settings)
    for change in (client.unload_model, client.load_model):
        with pytest.raises(InferenceServerException, match="not for this"):
            await change(name, headers=headers)
    admin = await key(database, settings, "admin")

    async def states() -> list[tuple[str, str]]:
        index = await client.get_model_repository_index(headers=headers)
        return [(each["version"], each["state"]) for each in index if each["name"] == name]

    assert await states() == [("2", "READY"), ("1", "READY")]
    await client.unload_model(name, headers=admin)
    assert await states() == [("2", "UNAVAILABLE"), ("1", "UNAVAILABLE")]
    assert not await client.is_model_ready(name, headers=headers)
    with pytest.raises(InferenceServerException, match="unloaded"):
        await infer(client, name, headers)
    await client.load_model(name, headers=admin)
    await infer(client, name, headers)
    with pytest.raises(InferenceServerException, match="no such model"):
        await client.load_model("nothing", headers=admin)


async def test_what_is_not_offered_is_an_error_of_the_protocol(
    client: aio.InferenceServerClient, database: Database, settings: Settings
) -> None:
    with pytest.raises(InferenceServerException, match="Not Found"):
        await client.get_system_shared_memory_status(headers=await key(database, settings))
