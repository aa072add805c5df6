"""Bodies as they come in: compressed or not, with tensors after the JSON or without. And how they go out."""

import asyncio
import json
import zlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.inference.errors import BadInput
from app.inference.tensors import Array, from_bytes, from_json, to_bytes
from app.serving.errors import TooLong, UnsupportedEncoding
from app.serving.schemas import InferRequest, RequestedInput

HEADER_LENGTH = "Inference-Header-Content-Length"
WINDOWS = {"gzip": 31, "deflate": zlib.MAX_WBITS}  # zlib's numbers: with gzip's header, or with its own
UNSUPPORTED = {"classification", "shared_memory_region"}  # Triton's; a client that asks for them reads something else
LONGEST = 16 * 1024 * 1024  # bytes, before and after they are unpacked
SHORT = 64 * 1024  # bytes that are unpacked at once, without a thread


async def body(request: Request) -> bytes:
    """The body, unpacked. Raises UnsupportedEncoding, BadInput, or TooLong for what would unpack to too much."""
    packed = await request.body()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return packed
    if encoding not in WINDOWS:
        raise UnsupportedEncoding("Send gzip, deflate or neither.", headers={"Accept-Encoding": "gzip, deflate"})
    if len(packed) <= SHORT:
        return _unpack(packed, WINDOWS[encoding])
    return await asyncio.to_thread(_unpack, packed, WINDOWS[encoding])


def _unpack(packed: bytes, window: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        content = unpacker.decompress(packed, LONGEST)
    except zlib.error as error:
        raise BadInput("The body cannot be unpacked.") from error
    if unpacker.unconsumed_tail:
        raise TooLong(f"It unpacks to more than {LONGEST} bytes.")
    if not unpacker.eof or unpacker.unused_data:
        raise BadInput("The body is cut short, or there is something behind it.")
    return content


async def read(request: Request) -> tuple[InferRequest, dict[str, Array]]:
    """What is asked, and the tensors. Raises BadInput, or what `body` raises."""
    content = memoryview(await body(request))
    told = request.headers.get(HEADER_LENGTH, str(len(content)))
    if len(content) <= SHORT:
        return parse(content, told)
    return await asyncio.to_thread(parse, content, told)  # a second of work must not keep everybody waiting


def parse(content: memoryview, told: str) -> tuple[InferRequest, dict[str, Array]]:
    """The same of a body; `told` is how many bytes of it are JSON."""
    if not told.isdecimal() or len(told) > 9 or int(told) > len(content):  # noqa: PLR2004
        raise BadInput(f"{HEADER_LENGTH} is the number of bytes of the JSON at the beginning of the body.")
    try:
        asked = InferRequest.model_validate_json(bytes(content[: int(told)]))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise BadInput(f"{'.'.join(map(str, fault['loc'])) or 'The body'}: {fault['msg']}") from error
    for part in (*asked.inputs, *(asked.outputs or ())):
        if unknown := UNSUPPORTED & part.parameters.keys():
            raise BadInput(f"{part.name}: the parameter {min(unknown)} is not supported.")
    rest, tensors = content[int(told) :], dict[str, Array]()
    for each in asked.inputs:
        if each.name in tensors:
            raise BadInput(f"Input {each.name} is there twice.")
        tensors[each.name], rest = _tensor(each, rest)
    if rest:
        raise BadInput(f"There are {len(rest)} bytes behind the last tensor.")
    return asked, tensors


def _tensor(each: RequestedInput, rest: memoryview) -> tuple[Array, memoryview]:
    """A tensor, and what is left of the bytes after the JSON."""
    size = each.parameters.get("binary_data_size")
    if size is None:
        if each.data is None:
            raise BadInput(f"Input {each.name} has no data.")
        return from_json(each.name, each.datatype, each.shape, each.data), rest
    if each.data is not None or type(size) is not int or not 0 <= size <= len(rest):
        raise BadInput(f"Input {each.name}: binary_data_size is the number of its bytes behind the JSON.")
    return from_bytes(each.name, each.datatype, each.shape, rest[:size]), rest[size:]


def answer(
    asked: InferRequest, name: str, version: int, kinds: Mapping[str, str], outputs: Mapping[str, Array]
) -> Response:
    """The answer, each output as it was wanted. Raises BadInput for an output that there is not."""
    by_default = asked.parameters.get("binary_data_output") is True
    wanted = {each.name: each.parameters.get("binary_data", by_default) for each in asked.outputs or ()}
    wanted = wanted or dict.fromkeys(outputs, by_default)
    described, raw = list[dict[str, Any]](), list[bytes]()
    for output, binary in wanted.items():
        array = outputs[output]
        described.append({"name": output, "datatype": kinds[output], "shape": list(array.shape)})
        if binary is True:
            raw.append(to_bytes(array))
            described[-1]["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            described[-1]["data"] = array.ravel().tolist()
    said: dict[str, Any] = {"model_name": name, "model_version": str(version), "outputs": described}
    if asked.id:
        said["id"] = asked.id
    head = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    if not raw:
        return Response(head, media_type="application/json")
    return Response(
        b"".join([head, *raw]), headers={HEADER_LENGTH: str(len(head))}, media_type="application/octet-stream"
    )
