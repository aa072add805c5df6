"""The Open Inference Protocol as bytes on the wire: what is right, and every way in which a request can be wrong."""

import gzip
import json
import struct
import zlib
from typing import Any

import httpx2
import numpy as np
import pytest

from app.serving.bodies import LONGEST
from tests.conftest import Connect, Serve
from tests.models import KINDS, every_datatype, logarithm, lookup, times

X = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]}
GOOD = json.dumps({"inputs": [X]}).encode()


async def ask(client: httpx2.AsyncClient, name: str, *inputs: dict[str, Any], **more: Any) -> httpx2.Response:
    return await client.post(f"/v2/models/{name}/infer", json={"inputs": list(inputs), **more})


def error(answer: httpx2.Response, status: int = 400) -> str:
    """The one sentence of an error, in the protocol's form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said.keys() == {"error"}
    return str(said["error"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/models/x"),
        ("GET", "/v2/models/x/ready"),
        ("GET", "/v2/models/x/versions/1"),
        ("POST", "/v2/models/x/infer"),
        ("POST", "/v2/models/x/versions/1/infer"),
    ],
)
async def test_nobody_asks_without_a_key(anonymous: httpx2.AsyncClient, method: str, path: str) -> None:
    assert "key" in error(await anonymous.request(method, path), 401)
    wrong = {"Authorization": "Bearer wrong"}
    assert error(await anonymous.request(method, path, headers=wrong), 401)


async def test_a_server_says_what_it_is_to_anybody(anonymous: httpx2.AsyncClient) -> None:
    assert "binary_tensor_data" in (await anonymous.get("/v2")).json()["extensions"]
    assert (await anonymous.get("/v2/health/live")).json() == {"live": True}
    assert (await anonymous.get("/v2/health/ready")).json() == {"ready": True}


async def test_a_model_says_what_it_takes_and_gives(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2), times(3))
    assert (await client.get(f"/v2/models/{name}")).json() == {
        "name": name,
        "versions": ["1", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    assert (await client.get(f"/v2/models/{name}/versions/1/ready")).json() == {"name": name, "ready": True}


async def test_json_goes_in_flat_or_nested_and_comes_out_with_the_id(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    for data in ([1, 2, 3, 4], [[1, 2], [3, 4.0]]):
        answer = await ask(client, name, X | {"data": data}, id="request-7")
        assert answer.json() == {
            "model_name": name,
            "model_version": "1",
            "id": "request-7",
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [2.0, 4.0, 6.0, 8.0]}],
        }


async def test_a_version_can_be_named(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2), times(3))
    for version, first in (("1", 2.0), ("2", 3.0)):
        answer = (await client.post(f"/v2/models/{name}/versions/{version}/infer", json={"inputs": [X]})).json()
        assert (answer["model_version"], answer["outputs"][0]["data"][0]) == (version, first)


def as_bytes(kind: str, values: list[Any]) -> bytes:
    """Raw little-endian bytes, written without the code that is tested."""
    formats = {"BOOL": "?", "FP16": "e", "FP32": "f", "FP64": "d"} | {
        f"{word}{bits}": letter if word == "INT" else letter.upper()
        for word in ("INT", "UINT")
        for bits, letter in ((8, "b"), (16, "h"), (32, "i"), (64, "q"))
    }
    if kind == "BYTES":
        return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in values)
    return struct.pack(f"<{len(values)}{formats[kind]}", *values)


VALUES: dict[str, Any] = {
    "BOOL": [True, False],
    "BYTES": ["", "flüg"],
    "FP16": [0.5, -2.0],
    "FP32": [1.5, -3e38],
    "FP64": [1e300, -0.25],
} | {
    f"{word}{bits}": [0 if word == "UINT" else -(2 ** (bits - 1)), 2 ** (bits - (word == "INT")) - 1]
    for word in ("INT", "UINT")
    for bits in (8, 16, 32, 64)
}


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
async def test_every_datatype_goes_through_unchanged(
    program: Connect, serve: Serve, binary_in: bool, binary_out: bool
) -> None:
    client, name = await program(), await serve(every_datatype())
    inputs, raw = [], b""
    for kind in KINDS:
        tensor: dict[str, Any] = {"name": f"in_{kind}", "datatype": kind, "shape": [1, 2]}
        packed = as_bytes(kind, VALUES[kind])
        raw += packed if binary_in else b""
        inputs.append(
            tensor | ({"parameters": {"binary_data_size": len(packed)}} if binary_in else {"data": VALUES[kind]})
        )
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary_out}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))} if binary_in else {}
    answer = await client.post(f"/v2/models/{name}/infer", content=head + raw, headers=headers)
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    said, rest = json.loads(answer.content[:length]), answer.content[length:]
    for output in said["outputs"]:
        kind = output["datatype"]
        if binary_out:
            size = output["parameters"]["binary_data_size"]
            assert rest[:size] == as_bytes(kind, VALUES[kind]), kind
            rest = rest[size:]
        else:
            wanted = np.float32(VALUES[kind]).tolist() if kind == "FP32" else VALUES[kind]
            assert output["data"] == wanted, kind
    assert rest == b""


async def test_outputs_are_those_that_were_named_each_in_its_form(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(every_datatype())
    inputs = [{"name": f"in_{kind}", "datatype": kind, "shape": [1, 2], "data": VALUES[kind]} for kind in KINDS]
    wanted = [{"name": "out_INT8", "parameters": {"binary_data": True}}, {"name": "out_BOOL"}]
    answer = await ask(client, name, *inputs, outputs=wanted)
    length = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.content[:length])["outputs"]
    assert [each["name"] for each in outputs] == ["out_INT8", "out_BOOL"]
    assert outputs[1]["data"] == [True, False]
    assert answer.content[length:] == as_bytes("INT8", VALUES["INT8"])


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_body_may_be_compressed(program: Connect, serve: Serve, encoding: str, pack: Any) -> None:
    client, name = await program(), await serve(times(2))
    body = pack(json.dumps({"inputs": [X]}).encode())
    answer = await client.post(f"/v2/models/{name}/infer", content=body, headers={"Content-Encoding": encoding})
    assert answer.json()["outputs"][0]["data"] == [2.0, 4.0, 6.0, 8.0]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_body_that_unpacks_to_too_much_is_refused(
    program: Connect, serve: Serve, encoding: str, pack: Any
) -> None:
    client, name = await program(), await serve(times(2))
    bomb = pack(bytes(LONGEST + 1))
    assert len(bomb) < 50_000
    answer = await client.post(f"/v2/models/{name}/infer", content=bomb, headers={"Content-Encoding": encoding})
    assert str(LONGEST) in error(answer, 413)


async def test_a_body_that_is_too_long_is_refused(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    answer = await client.post(f"/v2/models/{name}/infer", content=bytes(LONGEST + 1))
    assert str(LONGEST) in error(answer, 413)


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
        ("gzip", b"not packed", 400),
        ("gzip", gzip.compress(GOOD)[:-4], 400),
        ("gzip", gzip.compress(GOOD) + b"more", 400),
        ("deflate", b"", 400),
    ],
)
async def test_an_encoding_that_is_not_understood_or_not_kept_is_refused(
    program: Connect, serve: Serve, encoding: str, body: bytes, status: int
) -> None:
    client, name = await program(), await serve(times(2))
    answer = await client.post(f"/v2/models/{name}/infer", content=body, headers={"Content-Encoding": encoding})
    assert error(answer, status)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": "z"}, "Input x is missing"),
    ({"datatype": "FP64"}, "Input x is FP32"),
    ({"datatype": "FP8"}, "datatype"),
    ({"datatype": "INT64"}, "Input x is FP32"),
    ({"shape": [4]}, "Input x has shape"),
    ({"shape": [1, 4]}, "Input x has shape"),
    ({"shape": [2, 3]}, "6 elements, and 4"),
    ({"shape": [-2, -2]}, "shape"),
    ({"shape": [2**40, 2]}, "shape"),
    ({"shape": [2**31 - 1, 2**31 - 1, 2**31 - 1]}, "elements, and 4"),
    ({"shape": []}, "shape"),
    ({"shape": [0, 2], "data": []}, "no rows"),
    ({"data": None}, "no data"),
    ({"data": [1, 2, 3, "4"]}, "not all FP32"),
    ({"data": [1, 2, 3, True]}, "not all FP32"),
    ({"data": [1, 2, 3, None]}, "not all FP32"),
    ({"data": [[1, 2], 3, 4]}, "nested unevenly"),
    ({"data": [1, 2, 3, 1e39]}, "too large"),
    ({"data": "1234"}, "data"),
    ({"data": [1, 2, 3, 4], "parameters": {"binary_data_size": 16}}, "binary_data_size"),
    ({"data": None, "parameters": {"binary_data_size": 16}}, "binary_data_size"),
    ({"data": None, "parameters": {"binary_data_size": -1}}, "binary_data_size"),
    ({"data": None, "parameters": {"binary_data_size": True}}, "binary_data_size"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
async def test_a_tensor_that_does_not_fit_is_one_clear_sentence(
    program: Connect, serve: Serve, change: dict[str, Any], words: str
) -> None:
    client, name = await program(), await serve(times(2))
    assert words in error(await ask(client, name, X | change))
    assert (await ask(client, name, X)).status_code == 200


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400"])
async def test_what_is_no_number_is_refused_in_json(program: Connect, serve: Serve, value: str) -> None:
    client, name = await program(), await serve(times(2))
    body = json.dumps({"inputs": [X | {"data": "DATA"}]}).replace('"DATA"', f"[1, 2, 3, {value}]")
    assert error(await client.post(f"/v2/models/{name}/infer", content=body))


async def binary(client: httpx2.AsyncClient, model: str, raw: bytes, *, told: int | None = None, **change: Any) -> Any:
    """A request whose tensor are these bytes."""
    size = len(raw) if told is None else told
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": size}} | change
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return await client.post(f"/v2/models/{model}/infer", content=head + raw, headers=headers)


async def test_bytes_that_are_not_those_of_the_shape_are_refused(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    two = struct.pack("<2f", 1, 2)
    assert (await binary(client, name, two)).status_code == 200
    assert "are 8 bytes, 4 were sent" in error(await binary(client, name, two[:4]))
    assert "are 8 bytes, 12 were sent" in error(await binary(client, name, two + bytes(4)))
    assert "binary_data_size" in error(await binary(client, name, two, told=9))
    assert "4 bytes behind the last tensor" in error(await binary(client, name, two + bytes(4), told=8))
    assert "are 8 bytes" in error(await binary(client, name, b""))
    assert "NaN" in error(await binary(client, name, struct.pack("<2f", 1, float("nan"))))
    assert "NaN" in error(await binary(client, name, struct.pack("<2f", 1, float("-inf"))))
    assert error(await binary(client, name, two, shape=[2**31 - 1, 2**31 - 1]))


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\x05\x00\x00\x00abc", b"\x01\x00\x00\x00\xff", b"\xff\xff\xff\xff" + bytes(40)]
)
async def test_texts_that_are_cut_short_or_no_utf8_are_refused(program: Connect, serve: Serve, raw: bytes) -> None:
    client, name = await program(), await serve(every_datatype())
    answer = await binary(client, name, raw, name="in_BYTES", datatype="BYTES")
    assert "in_BYTES" in error(answer)


async def test_a_bool_is_nought_or_one(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(every_datatype())
    assert "0 or 1" in error(await binary(client, name, b"\x02\x00", name="in_BOOL", datatype="BOOL"))


@pytest.mark.parametrize("told", ["-1", "x", "99999", "1", "9" * 5000])
async def test_a_length_of_the_json_that_is_wrong_is_refused(program: Connect, serve: Serve, told: str) -> None:
    client, name = await program(), await serve(times(2))
    headers = {"Inference-Header-Content-Length": told}
    assert error(await client.post(f"/v2/models/{name}/infer", json={"inputs": [X]}, headers=headers))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"inputs": 7}', b"[" * 100_000])
async def test_garbage_is_an_error_of_the_protocol(program: Connect, serve: Serve, body: bytes) -> None:
    client, name = await program(), await serve(times(2))
    assert error(await client.post(f"/v2/models/{name}/infer", content=body))


async def test_names_and_rows_have_to_be_right(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    assert "twice" in error(await ask(client, name, X, X))
    assert "no input z" in error(await ask(client, name, X, X | {"name": "z"}))
    assert "no output z" in error(await ask(client, name, X, outputs=[{"name": "z"}]))
    assert "missing" in error(await ask(client, name))


async def test_what_triton_has_and_this_has_not_is_not_left_out_silently(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    classes = {"name": "y", "parameters": {"classification": 2}}
    assert "classification is not supported" in error(await ask(client, name, X, outputs=[classes]))
    shared = X | {"parameters": {"shared_memory_region": "r"}}
    assert "shared_memory_region is not supported" in error(await ask(client, name, shared))


async def test_values_out_of_range_are_refused(program: Connect, serve: Serve) -> None:
    from tests.models import ROW, trained  # noqa: PLC0415

    client, name = await program(), await serve(trained("linear"))

    def inputs(**change: Any) -> list[dict[str, Any]]:
        kinds = {str: "BYTES", float: "FP32"}
        row = ROW | change
        return [
            {"name": key, "datatype": kinds[type(value)], "shape": [1, 1], "data": [value]}
            for key, value in row.items()
        ]

    assert (await ask(client, name, *inputs())).status_code == 200
    assert "from 0.0 to 24.0 hours" in error(await ask(client, name, *inputs(hour=24.5)))
    assert "from 50.0 to 5000.0 miles" in error(await ask(client, name, *inputs(miles=-1.0)))
    assert "'XX' is none of its categories" in error(await ask(client, name, *inputs(carrier="XX")))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nowhere", 404),
        ("GET", "/v2/models/nothing", 404),
        ("GET", "/v2/models/nothing/ready", 404),
        ("POST", "/v2/models/nothing/infer", 404),
        ("PUT", "/v2", 405),
        ("GET", "/v2/models/nothing/infer", 405),
    ],
)
async def test_what_is_not_there_is_an_error_of_the_protocol(
    program: Connect, method: str, path: str, status: int
) -> None:
    assert error(await (await program()).request(method, path), status)


@pytest.mark.parametrize("version", ["2", "0", "-1", "x", "99999999999999999999", "1.0", "٣"])
async def test_a_version_that_there_is_not_is_not_found(program: Connect, serve: Serve, version: str) -> None:
    client, name = await program(), await serve(times(2))
    assert error(await client.get(f"/v2/models/{name}/versions/{version}"), 404)


async def test_an_answer_that_is_no_number_is_an_error_for_who_asked(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(logarithm())
    good = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1.0]}
    assert "not a number" in error(await ask(client, name, good | {"data": [-1.0]}), 500)
    assert (await ask(client, name, good)).status_code == 200


async def test_a_request_that_the_model_fails_on_is_an_error_for_who_asked(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(lookup())
    good = {"name": "x", "datatype": "INT64", "shape": [1], "data": [1]}
    assert "failed" in error(await ask(client, name, good | {"data": [7]}), 500)
    assert (await ask(client, name, good)).json()["outputs"][0]["data"] == [20.0]


async def test_a_fault_of_ours_is_an_error_of_the_protocol_too(
    program: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the inside")

    client, name = await program(), await serve(times(2))
    monkeypatch.setattr("app.serving.routes.predict", fail)
    said = error(await ask(client, name, X), 500)
    assert "inside" not in said


async def test_an_unknown_host_is_told_so_in_the_protocols_form(anonymous: httpx2.AsyncClient) -> None:
    assert error(await anonymous.get("/v2", headers={"Host": "evil.example"}))
