"""What is no model that can be served is refused before it is run, and by its own check after."""

import json
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, load_from_string

from app.inference.cards import Card
from app.inference.engine import Engine
from app.inference.errors import BadModel
from app.inference.onnxfile import inspect
from tests.models import Made, every_datatype, heavy, logarithm, lookup, made, onnx_file, times, trained


@pytest.mark.parametrize(
    "model", [times(2), every_datatype(), logarithm(), lookup(), trained("linear"), trained("forest")]
)
def test_a_model_that_does_what_its_card_says_is_loaded(model: Made) -> None:
    assert Engine(model.content, model.card).batchable


@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["linear", "forest"])
def test_a_file_that_is_cut_short_is_refused(name: str, part: float) -> None:
    whole = trained(name)
    with pytest.raises(BadModel, match=r"cut short|no ONNX model"):
        Engine(whole.content[: int(len(whole.content) * part)], whole.card)


@pytest.mark.parametrize("content", [b"not a model", b"\x80" * 20, b"PK\x03\x04", b"\x08\x00\x00\x00ORTM" + bytes(64)])
def test_what_is_no_onnx_is_refused(content: bytes) -> None:
    with pytest.raises(BadModel):
        Engine(content, times(2).card)


@pytest.mark.parametrize("place", [TensorProto.EXTERNAL, TensorProto.DEFAULT])
def test_tensors_in_other_files_are_refused(place: int) -> None:
    model = load_from_string(times(2).content)
    held = model.graph.initializer[0]
    held.ClearField("raw_data")
    held.data_location = place
    entry = held.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(BadModel, match="tensors in other files"):
        Engine(model.SerializeToString(), times(2).card)


def test_tensors_in_other_files_are_found_within_a_branch() -> None:
    far = helper.make_tensor("far", TensorProto.FLOAT, [1], [1.0])
    far.data_location = TensorProto.EXTERNAL
    nothing = helper.make_tensor_value_info("far", TensorProto.FLOAT, [1])
    branch = helper.make_graph([], "branch", [], [nothing], [far])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    with pytest.raises(BadModel, match="tensors in other files"):
        inspect(onnx_file([node], [("x", "BOOL", [1])], [("y", "FP32", [1])]))


def test_operators_that_are_not_onnx_own_are_refused() -> None:
    node = helper.make_node("Anything", ["x"], ["y"], domain="com.example")
    content = onnx_file([node], [("x", "FP32", [-1, 2])], [("y", "FP32", [-1, 2])], domain="com.example")
    with pytest.raises(BadModel, match=r"com\.example"):
        Engine(content, times(2).card)


def test_a_model_that_gives_something_else_than_in_training_is_refused() -> None:
    with pytest.raises(BadModel, match="not what it was in training"):
        Engine(times(2).content, times(2.001).card)


def test_a_model_whose_check_is_no_number_is_refused() -> None:
    card = json.loads(logarithm().card.model_dump_json())
    card["check"]["inputs"]["x"] = [[-1.0], [2.0]]
    with pytest.raises(BadModel, match="fails on the card's own rows"):
        Engine(logarithm().content, Card.model_validate(card))


@pytest.mark.parametrize("change", [{"datatype": "FP64"}, {"shape": [-1, 3]}, {"name": "z"}])
def test_a_card_of_other_tensors_is_refused(change: dict[str, Any]) -> None:
    card = json.loads(times(2).card.model_dump_json())
    card["inputs"][0] |= change
    if "name" in change:
        card["check"]["inputs"] = {"z": card["check"]["inputs"]["x"]}
    with pytest.raises(BadModel):
        Engine(times(2).content, Card.model_validate(card))


def test_a_model_whose_rows_hang_together_is_never_batched() -> None:
    takes, gives = [("x", "FP32", [-1, 2])], [("y", "FP32", [-1, 2])]
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    centred = made(
        onnx_file(nodes, takes, gives, {"axes": np.array([0])}), takes, gives, {"x": [[1.0, 2.0], [3.0, 5.0]]}
    )
    assert not Engine(centred.content, centred.card).batchable


def test_rows_that_hang_on_those_before_them_are_never_batched() -> None:
    """The first row of them is the same alone: so each is looked at."""
    takes, gives = [("x", "FP32", [-1, 1])], [("y", "FP32", [-1, 1])]
    nodes = [helper.make_node("CumSum", ["x", "axis"], ["y"])]
    summed = made(onnx_file(nodes, takes, gives, {"axis": np.array(0)}), takes, gives, {"x": [[1.0], [2.0]]})
    assert not Engine(summed.content, summed.card).batchable


def test_a_check_of_one_row_shows_nothing() -> None:
    takes, gives = [("x", "FP32", [-1, 1])], [("y", "FP32", [-1, 1])]
    alone = made(onnx_file([helper.make_node("Neg", ["x"], ["y"])], takes, gives), takes, gives, {"x": [[1.0]]})
    assert not Engine(alone.content, alone.card).batchable


def test_a_large_model_is_inspected_without_reading_its_weights() -> None:
    inspect(heavy(width=256).content)


def test_a_tolerance_is_of_the_value_too() -> None:
    """FP32 has seven digits: who sells houses would find that no copy is exact to a hundred-thousandth."""
    takes, gives = [("x", "FP32", [-1, 1])], [("y", "FP32", [-1, 1])]
    same = made(onnx_file([helper.make_node("Identity", ["x"], ["y"])], takes, gives), takes, gives, {"x": [[3e6]]})
    card = json.loads(same.card.model_dump_json())
    for differs, well in ((0.5, True), (300, False)):
        card["check"]["outputs"]["y"] = [[3e6 + differs]]
        with nullcontext() if well else pytest.raises(BadModel, match="not what it was"):
            Engine(same.content, Card.model_validate(card))
