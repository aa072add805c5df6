"""Tensors as the Open Inference Protocol has them: as JSON, or as raw little-endian bytes, for every datatype."""

import math
import struct
from typing import Any

import numpy as np

from app.inference.cards import Input
from app.inference.errors import BadInput

type Array = np.ndarray[Any, np.dtype[Any]]

# The protocol's names, numpy's types, ONNX Runtime's names.
NUMPY = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype("O"),
}
ONNX = {
    "tensor(bool)": "BOOL",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
    **{f"tensor({kind}{bits})": f"{kind.upper()}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}
JSON_KINDS: dict[str, Any] = {"b": bool, "u": int, "i": int, "f": (int, float), "O": str}


def from_bytes(name: str, datatype: str, shape: list[int], raw: memoryview) -> Array:
    """A tensor of the binary extension. Raises BadInput when the bytes are not those of the shape."""
    if datatype == "BYTES":
        return _texts(name, shape, raw)
    wanted = math.prod(shape) * NUMPY[datatype].itemsize
    if wanted != len(raw):
        raise BadInput(f"Input {name}: {datatype} of shape {shape} are {wanted} bytes, {len(raw)} were sent.")
    if datatype == "BOOL" and max(raw, default=0) > 1:
        raise BadInput(f"Input {name}: a BOOL is a byte that is 0 or 1.")
    return np.frombuffer(raw, NUMPY[datatype]).reshape(shape)


def _texts(name: str, shape: list[int], raw: memoryview) -> Array:
    """Each text is its length, in four bytes, and its bytes, in UTF-8: ONNX Runtime has strings only."""
    texts, at, most = list[str](), 0, math.prod(shape)
    try:
        while at < len(raw) and len(texts) <= most:
            (size,) = struct.unpack_from("<I", raw, at)
            if (at := at + 4 + size) > len(raw):
                raise BadInput(f"Input {name}: the last text is cut short.")
            texts.append(bytes(raw[at - size : at]).decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise BadInput(f"Input {name}: BYTES are lengths in four bytes, each before its UTF-8 text.") from error
    return _shaped(name, shape, texts, NUMPY["BYTES"])


def from_json(name: str, datatype: str, shape: list[int], data: list[Any]) -> Array:
    """A tensor whose numbers were written out, flat or nested. Raises BadInput."""
    flat = data
    while flat and isinstance(flat[0], list):
        if not all(isinstance(row, list) for row in flat):
            raise BadInput(f"Input {name}: the data are nested unevenly.")
        flat = [value for row in flat for value in row]
    dtype = NUMPY[datatype]
    kinds = JSON_KINDS[dtype.kind]
    # In Python True is a number. In the protocol it is not.
    if not all(isinstance(value, kinds) and (isinstance(value, bool) == (dtype.kind == "b")) for value in flat):
        raise BadInput(f"Input {name}: the data are not all {datatype}.")
    return _shaped(name, shape, flat, dtype)


def _shaped(name: str, shape: list[int], flat: list[Any], dtype: np.dtype[Any]) -> Array:
    """The values in their shape. Raises BadInput when they are more or fewer, or too large for the type."""
    if math.prod(shape) != len(flat):
        raise BadInput(f"Input {name}: shape {shape} has {math.prod(shape)} elements, and {len(flat)} were sent.")
    try:
        with np.errstate(over="raise"):
            return np.array(flat, dtype).reshape(shape)
    except (OverflowError, FloatingPointError) as error:
        raise BadInput(f"Input {name}: a number is too large for its datatype.") from error


def to_bytes(array: Array) -> bytes:
    """A tensor for the binary extension."""
    if array.dtype.kind == "O":
        texts = [str(text).encode() for text in array.ravel()]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def weight(array: Array) -> int:
    """Bytes of memory. A text is an object of its own, and the array has only where it is."""
    return array.nbytes + (sum(50 + len(text) for text in array.flat) if array.dtype.kind == "O" else 0)


def fits(known: Input, array: Array) -> None:
    """Raises BadInput unless the tensor has the input's datatype and shape, and its values are allowed ones."""
    name = known.name
    if array.dtype != NUMPY[known.datatype]:
        raise BadInput(f"Input {name} is {known.datatype}.")
    wanted = [size if size >= 0 else given for size, given in zip(known.shape, array.shape, strict=False)]
    if len(array.shape) != len(known.shape) or wanted != list(array.shape):
        raise BadInput(f"Input {name} has shape {known.shape}, and {list(array.shape)} was sent.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInput(f"Input {name}: there is a NaN or an infinity.")
    low, high = known.minimum, known.maximum
    if (low is not None and (array < low).any()) or (high is not None and (array > high).any()):
        raise BadInput(f"Input {name} is from {low} to {high} {known.unit}.".replace(" .", "."))
    if known.categories is not None and not known.known.issuperset(given := array.ravel().tolist()):
        unknown = next(each for each in given if each not in known.known)
        raise BadInput(f"Input {name}: {str(unknown)[:40]!r} is none of its categories.")
