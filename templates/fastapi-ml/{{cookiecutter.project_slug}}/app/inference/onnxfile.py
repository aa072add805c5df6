"""What is in an ONNX file, read without running anything: its structure, by the wire format of Protocol Buffers.

The numbers of the fields are those of `onnx.proto` (onnx.ai). ONNX Runtime would read a tensor from any file that a
model names, and would look for operators wherever it was told to; both are refused before it gets the bytes.
"""

from collections.abc import Iterator

from app.inference.errors import BadModel

STANDARD = ("", "ai.onnx", "ai.onnx.ml")
DEEPEST = 32
# The messages that a message holds, by the number of the field.
HOLDS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
NODE_DOMAIN, TENSOR_EXTERNAL_DATA, TENSOR_DATA_LOCATION, MODEL_GRAPH = 7, 13, 14, 7
VARINT, LENGTH, FIXED = 0, 2, {1: 8, 5: 4}


def inspect(content: bytes) -> None:
    """Raises BadModel for what is no whole ONNX file, has tensors elsewhere, or operators that are not ONNX's own."""
    try:
        found = [number for number, _ in _walk(memoryview(content), "model", 0)]
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise BadModel("The file is cut short, or it is no ONNX model.") from error
    if found.count(MODEL_GRAPH) != 1:
        raise BadModel("The file is no ONNX model.")


def _walk(message: memoryview, kind: str, depth: int) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message, after those of the messages within it were looked at."""
    if depth > DEEPEST:
        raise BadModel("The model is nested too deeply.")
    for number, value in _fields(message):
        is_domain = kind == "node" and number == NODE_DOMAIN and isinstance(value, memoryview)
        if is_domain and (domain := bytes(value).decode()) not in STANDARD:
            raise BadModel(f"The model has operators of {domain!r}, which are not ONNX's own.")
        if kind == "tensor" and (number == TENSOR_EXTERNAL_DATA or (number == TENSOR_DATA_LOCATION and value)):
            raise BadModel("The model has tensors in other files.")
        if isinstance(value, memoryview) and (within := HOLDS[kind].get(number)):
            for _ in _walk(value, within, depth + 1):
                pass
        yield number, value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The number and the value of each field. Raises IndexError at one cut short, KeyError at one of no known kind."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        size, at = _varint(message, at) if wire == LENGTH else (FIXED[wire], at)
        if at + size > len(message):
            raise IndexError
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of up to ten bytes, seven bits in each, and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (message[at] & 0x7F) << shift
        at += 1
        if message[at - 1] < 0x80:  # noqa: PLR2004  the eighth bit says that there is more
            return value, at
    raise IndexError
