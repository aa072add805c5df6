"""Explanations: what an input contributed is how the prediction changes without it."""

import json
from typing import Any

import httpx2
import numpy as np
import pytest
from onnx import helper

from app.explain.services import stand_ins
from app.inference.cards import Card
from tests.conftest import Connect, Serve
from tests.models import ROW, Made, made, onnx_file, times, trained


def linear() -> Made:
    """y = 3a + b, of two inputs; c is taken and not used."""
    takes, gives = [(name, "FP32", [-1, 1]) for name in "abc"], [("y", "FP32", [-1, 1])]
    nodes = [
        helper.make_node("Mul", ["a", "three"], ["a3"]),
        helper.make_node("Mul", ["c", "nought"], ["c0"]),
        helper.make_node("Add", ["a3", "b"], ["ab"]),
        helper.make_node("Add", ["ab", "c0"], ["y"]),
    ]
    content = onnx_file(nodes, takes, gives, {"three": np.float32(3), "nought": np.float32(0)})
    rows = {name: [[1.0], [2.0]] for name in "abc"}
    card = json.loads(made(content, takes, gives, rows).card.model_dump_json())
    # Between -1 and 1 with half of the rows on each side: the mean of every stand-in is nought.
    card["statistics"] = {name: {"edges": [-1.0, 0.0, 1.0], "counts": [50, 50]} for name in "abc"}
    return Made(content, Card.model_validate(card))


async def ask(client: httpx2.AsyncClient, name: str, row: dict[str, Any]) -> httpx2.Response:
    inputs = [
        {"name": key, "datatype": "BYTES" if isinstance(value, str) else "FP32", "shape": [1, 1], "data": [value]}
        for key, value in row.items()
    ]
    return await client.post(f"/v2/models/{name}/explain", json={"inputs": inputs, "id": "7"})


async def test_it_is_for_who_is_known(anonymous: httpx2.AsyncClient, serve: Serve) -> None:
    assert (await ask(anonymous, await serve(linear()), {"a": 1.0})).status_code == 401


async def test_of_a_linear_model_it_is_the_coefficient_times_the_value(program: Connect, serve: Serve) -> None:
    name = await serve(linear())
    answer = (await ask(await program(), name, {"a": 2.0, "b": 5.0, "c": 9.0})).json()
    assert answer == {
        "model_name": name,
        "model_version": "1",
        "id": "7",
        "contributions": {"y": {"a": [6.0], "b": [5.0], "c": [0.0]}},
    }


async def test_a_late_departure_is_explained_by_its_hour(program: Connect, serve: Serve) -> None:
    name = await serve(trained("forest"))
    found = (await ask(await program(), name, ROW | {"hour": 21.0})).json()["contributions"]["probability"]
    assert found.keys() == ROW.keys()
    on_time, late = found["hour"]
    assert late > 0.05
    assert on_time == pytest.approx(-late, abs=1e-4)


async def test_several_rows_or_wrong_ones_are_refused(program: Connect, serve: Serve) -> None:
    client, name = await program(), await serve(times(2))
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]}]}
    answer = await client.post(f"/v2/models/{name}/explain", json=body)
    assert (answer.status_code, "one row" in answer.json()["error"]) == (400, True)
    assert (await client.post(f"/v2/models/{name}/explain", json={"inputs": []})).status_code == 400


def test_the_commonest_values_stand_in_by_their_shares() -> None:
    values, shares = stand_ins(trained("linear").card, "carrier")
    assert len(values) == 10
    assert float(shares.sum()) == pytest.approx(1)
    assert values[0, 0] == "UA"


async def test_a_vector_goes_along_and_is_not_explained(program: Connect, serve: Serve) -> None:
    """y = a + v₁ + v₂. No number of training stands in for a vector."""
    takes, gives = [("a", "FP32", [-1, 1]), ("v", "FP32", [-1, 2])], [("y", "FP32", [-1, 1])]
    nodes = [
        helper.make_node("ReduceSum", ["v", "axes"], ["sum"], keepdims=1),
        helper.make_node("Add", ["a", "sum"], ["y"]),
    ]
    content = onnx_file(nodes, takes, gives, {"axes": np.array([1])})
    given = {"a": [[1.0], [2.0]], "v": [[1.0, 2.0], [3.0, 4.0]]}
    card = json.loads(made(content, takes, gives, given).card.model_dump_json())
    card["statistics"] = {name: {"edges": [-1.0, 0.0, 1.0], "counts": [50, 50]} for name in "av"}
    name, client = await serve(Made(content, Card.model_validate(card))), await program()
    inputs = [
        {"name": "a", "datatype": "FP32", "shape": [1, 1], "data": [7.0]},
        {"name": "v", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]},
    ]
    answer = await client.post(f"/v2/models/{name}/explain", json={"inputs": inputs})
    assert answer.json()["contributions"] == {"y": {"a": [7.0]}}
