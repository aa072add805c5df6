"""The clients that Triton ships, sync and async, unmodified."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import tritonclient.http as sync
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

from app.database import Database
from app.settings import Settings
from tests.conftest import Serve, a_key
from tests.models import every_datatype, times

ROWS = np.array([[1, 2], [3, 4]], np.float32)


@pytest.fixture
async def key(database: Database, settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {await a_key(database, settings)}"}


@pytest.fixture
async def client(server: str) -> AsyncIterator[aio.InferenceServerClient]:
    async with aio.InferenceServerClient(urlsplit(server).netloc) as made:
        yield made


def tensor(rows: Any = ROWS, *, name: str = "x", kind: str = "FP32", binary: bool = True, module: Any = sync) -> Any:
    made = module.InferInput(name, list(rows.shape), kind)
    made.set_data_from_numpy(rows, binary_data=binary)
    return made


async def in_a_thread(server: str, work: Callable[[sync.InferenceServerClient], Any]) -> Any:
    """What the sync client does, away from the event loop of the server."""

    def run() -> Any:
        with sync.InferenceServerClient(urlsplit(server).netloc, concurrency=4) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def test_health_and_metadata(client: aio.InferenceServerClient, key: dict[str, str], serve: Serve) -> None:
    name = await serve(times(2))
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready(name, headers=key)
    assert await client.is_model_ready(name, "1", headers=key)
    assert not await client.is_model_ready("nothing", headers=key)
    assert (await client.get_server_metadata())["name"] == "onnxruntime"
    assert (await client.get_model_metadata(name, headers=key))["inputs"][0]["shape"] == [-1, 2]


@pytest.mark.parametrize("compressed", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("output", [None, True, False])
async def test_infer_in_every_form(
    client: aio.InferenceServerClient,
    key: dict[str, str],
    serve: Serve,
    compressed: str | None,
    binary_in: bool,
    output: bool | None,
) -> None:
    name = await serve(times(2))
    wanted = None if output is None else [aio.InferRequestedOutput("y", binary_data=output)]
    answer = await client.infer(
        name,
        [tensor(binary=binary_in, module=aio)],
        outputs=wanted,
        request_id="7",
        headers=key,
        request_compression_algorithm=compressed,
    )
    np.testing.assert_array_equal(answer.as_numpy("y"), ROWS * 2)
    assert (answer.get_response()["id"], answer.get_response()["model_version"]) == ("7", "1")


async def test_the_sync_client_and_its_own_threads(server: str, key: dict[str, str], serve: Serve) -> None:
    name = await serve(times(2))

    def work(client: sync.InferenceServerClient) -> None:
        assert client.is_server_ready()
        running = [client.async_infer(name, [tensor(ROWS * n)], headers=key) for n in range(8)]
        for n, each in enumerate(running):
            np.testing.assert_array_equal(each.get_result().as_numpy("y"), ROWS * n * 2)
        got = client.infer(name, [tensor()], headers=key, request_compression_algorithm="gzip").as_numpy("y")
        np.testing.assert_array_equal(got, ROWS * 2)

    await in_a_thread(server, work)


async def test_every_datatype(server: str, key: dict[str, str], serve: Serve) -> None:
    name = await serve(every_datatype())
    given = {
        "BOOL": np.array([[True, False]]),
        "BYTES": np.array([["flüg", ""]], dtype=object),
        "FP16": np.array([[0.5, -2]], np.float16),
        "FP32": np.array([[1.5, -3e38]], np.float32),
        "FP64": np.array([[1e300, 0]], np.float64),
    } | {
        f"{word}{bits}": np.array(
            [[np.iinfo(f"{word.lower()}{bits}").min, np.iinfo(f"{word.lower()}{bits}").max]], f"{word.lower()}{bits}"
        )
        for word in ("INT", "UINT")
        for bits in (8, 16, 32, 64)
    }

    def work(client: sync.InferenceServerClient) -> None:
        inputs = [tensor(array, name=f"in_{kind}", kind=kind) for kind, array in given.items()]
        answer = client.infer(name, inputs, headers=key)
        for kind, array in given.items():
            back = answer.as_numpy(f"out_{kind}")
            if kind == "BYTES":
                back = np.array([[text.decode() for text in back[0]]], dtype=object)
            assert back.dtype == array.dtype
            np.testing.assert_array_equal(back, array, kind)

    await in_a_thread(server, work)


async def test_a_version_is_named(client: aio.InferenceServerClient, key: dict[str, str], serve: Serve) -> None:
    name = await serve(times(2), times(5))
    answer = await client.infer(name, [tensor(module=aio)], model_version="2", headers=key)
    np.testing.assert_array_equal(answer.as_numpy("y"), ROWS * 5)


@pytest.mark.parametrize(
    ("model", "version", "kind", "shape", "words"),
    [
        ("nothing", "", "FP32", (2, 2), "no such model"),
        (None, "9", "FP32", (2, 2), "no such version"),
        (None, "", "FP64", (2, 2), "is FP32"),
        (None, "", "FP32", (2, 3), "shape"),
    ],
)
async def test_an_error_is_an_exception_with_its_words(
    client: aio.InferenceServerClient,
    key: dict[str, str],
    serve: Serve,
    model: str | None,
    version: str,
    kind: str,
    shape: tuple[int, int],
    words: str,
) -> None:
    name = await serve(times(2))
    rows = np.ones(shape, np.float32 if kind == "FP32" else np.float64)
    with pytest.raises(InferenceServerException, match=words):
        await client.infer(model or name, [tensor(rows, kind=kind, module=aio)], model_version=version, headers=key)


async def test_without_a_key_the_client_is_told_so(client: aio.InferenceServerClient, serve: Serve) -> None:
    with pytest.raises(InferenceServerException, match="not signed in"):
        await client.infer(await serve(times(2)), [tensor(module=aio)])
