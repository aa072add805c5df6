"""Small ONNX models for the tests, made here, with the cards that go with them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

from app.inference.cards import Card
from app.inference.engine import digest
from app.inference.tensors import NUMPY

TRAINED = Path(__file__).parent.parent / "app" / "trained"
KINDS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}
ROW = {
    "carrier": "UA",
    "origin": "EWR",
    "destination": "IAH",
    "weekday": "Fri",
    "hour": 17.5,
    "miles": 1400.0,
}


@dataclass(frozen=True)
class Made:
    """A model's bytes and its card."""

    content: bytes
    card: Card

    @property
    def sha256(self) -> str:
        return digest(self.content)


type Tensors = Sequence[tuple[str, str, list[int]]]


def onnx_file(
    nodes: list[NodeProto], takes: Tensors, gives: Tensors, constants: dict[str, Any] | None = None, domain: str = ""
) -> bytes:
    """An ONNX file of these nodes; sizes of -1 are left open."""

    def infos(tensors: Tensors) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, KINDS[kind], [None if size < 0 else size for size in shape])
            for name, kind, shape in tensors
        ]

    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(nodes, "test", infos(takes), infos(gives), held)
    opsets = [helper.make_opsetid("", 21), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def made(content: bytes, takes: Tensors, gives: Tensors, rows: dict[str, list[Any]], **more: Any) -> Made:
    """The model with a card whose check is what it gives for these rows; `more` describes its inputs by name."""
    tensors = {name: np.array(rows[name], NUMPY[kind]) for name, kind, _ in takes}
    names = [name for name, _, _ in gives]
    outputs = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(names, tensors)
    card = {
        "description": "A model for tests",
        "inputs": [
            {"name": name, "datatype": kind, "shape": shape, **more.get(name, {})} for name, kind, shape in takes
        ],
        "outputs": [{"name": name, "datatype": kind, "shape": shape} for name, kind, shape in gives],
        "check": {"inputs": rows, "outputs": {n: array.tolist() for n, array in zip(names, outputs, strict=True)}},
    }
    return Made(content, Card.model_validate_json(json.dumps(card)))


def times(factor: float) -> Made:
    """y = factor · x, for rows of two numbers."""
    takes, gives = [("x", "FP32", [-1, 2])], [("y", "FP32", [-1, 2])]
    nodes = [helper.make_node("Mul", ["x", "factor"], ["y"])]
    content = onnx_file(nodes, takes, gives, {"factor": np.float32(factor)})
    return made(content, takes, gives, {"x": [[1.0, 2.0], [3.0, 4.0]]})


def every_datatype() -> Made:
    """Gives back a tensor of each datatype that it was given."""
    takes = [(f"in_{kind}", kind, [-1, 2]) for kind in KINDS]
    gives = [(f"out_{kind}", kind, [-1, 2]) for kind in KINDS]
    nodes = [helper.make_node("Identity", [f"in_{kind}"], [f"out_{kind}"]) for kind in KINDS]
    value: dict[str, Any] = {"BOOL": [True, False], "BYTES": ["a", "é"]}
    rows = {f"in_{kind}": [value.get(kind, [0, 1])] * 2 for kind in KINDS}
    return made(onnx_file(nodes, takes, gives), takes, gives, rows)


def logarithm() -> Made:
    """y = log x, which is no number below zero."""
    takes, gives = [("x", "FP32", [-1, 1])], [("y", "FP32", [-1, 1])]
    return made(onnx_file([helper.make_node("Log", ["x"], ["y"])], takes, gives), takes, gives, {"x": [[1.0], [2.0]]})


def lookup() -> Made:
    """y = the x-th of three numbers: it fails for a fourth, and whatever is computed with that fails too."""
    takes, gives = [("x", "INT64", [-1])], [("y", "FP32", [-1])]
    nodes = [helper.make_node("Gather", ["held", "x"], ["y"])]
    content = onnx_file(nodes, takes, gives, {"held": np.array([10, 20, 30], np.float32)})
    return made(content, takes, gives, {"x": [0, 1, 2]})


def heavy(*, width: int = 1024, layers: int = 6) -> Made:
    """A dense network that takes some milliseconds, mostly to read its weights: rows together cost little more."""
    takes, gives = [("x", "FP32", [-1, width])], [("y", "FP32", [-1, width])]
    random = np.random.default_rng(1)
    weights = {
        f"w{each}": (random.standard_normal((width, width)) / width**0.5).astype(np.float32) for each in range(layers)
    }
    names = ["x", *(f"h{each}" for each in range(1, layers)), "y"]
    nodes = [helper.make_node("MatMul", [names[each], f"w{each}"], [names[each + 1]]) for each in range(layers)]
    return made(onnx_file(nodes, takes, gives, weights), takes, gives, {"x": [[0.01] * width] * 2})


def trained(name: str) -> Made:
    """One of the models that travel with the project: `linear` or `forest`."""
    card = Card.model_validate_json((TRAINED / f"{name}.json").read_bytes())
    return Made((TRAINED / f"{name}.onnx").read_bytes(), card)
