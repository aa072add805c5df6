"""Training: by time, exported without a difference, and what travels with the project is what training makes."""

import asyncio
import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.http import aio

from app.database import Database
from app.inference.cards import Card
from app.inference.engine import Engine
from app.settings import Settings
from app.training import fit
from app.training.flights import CATEGORIES, EXTRACT, SPLIT, Flights, read
from tests.conftest import Serve, a_key
from tests.models import TRAINED, Made, trained


@pytest.fixture(scope="session")
def models() -> dict[str, tuple[Any, Made]]:
    """Both estimators and what they were exported to."""
    before, after = read()
    found = {}
    for name, estimator in fit.estimators().items():
        estimator.fit(fit.matrix(before), before.late)
        content = fit.export(estimator)
        card = fit.card(name, before, after, fit.compare(content, estimator, after))
        found[name] = estimator, Made(content, card)
    return found


def test_nothing_is_learned_from_what_comes_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Had it all come about otherwise, the model would be the same; only what is said of it would not."""
    before, after = read()
    days = [line["date"] for line in csv.DictReader(gzip.decompress(EXTRACT.read_bytes()).decode().splitlines())]
    assert len(before.rows) == sum(day < SPLIT.isoformat() for day in days)
    assert len(after.rows) == len(days) - len(before.rows)
    made = []
    for late in (after.late, [1 - each for each in after.late]):
        monkeypatch.setattr(fit, "estimators", lambda made=fit.estimators: {"linear": made()["linear"]})
        monkeypatch.setattr(fit, "read", lambda late=late: (before, Flights(after.rows, late)))
        fit.train(tmp_path)
        card = Card.model_validate_json((tmp_path / "linear.json").read_bytes())
        made.append((Engine((tmp_path / "linear.onnx").read_bytes(), card), card))
    (one, told), (other, told_otherwise) = made
    rows = fit.tensors(after)
    np.testing.assert_array_equal(one.run(rows)["probability"], other.run(rows)["probability"])
    assert told.statistics == told_otherwise.statistics
    assert told.metrics["auc"] == pytest.approx(1 - told_otherwise.metrics["auc"], abs=2e-4)


@pytest.mark.parametrize("name", ["linear", "forest"])
async def test_over_the_wire_it_says_what_scikit_learn_says_of_every_flight_of_the_test_split(
    name: str, models: dict[str, tuple[Any, Made]], serve: Serve, server: str, database: Database, settings: Settings
) -> None:
    estimator, made = models[name]
    model, key = await serve(made), await a_key(database, settings)
    _, after = read()
    columns = fit.tensors(after)
    late, probability = [], []
    async with aio.InferenceServerClient(server.removeprefix("http://")) as client:
        for start in range(0, len(after.rows), 4000):
            inputs = []
            for column, values in columns.items():
                part = values[start : start + 4000]
                tensor = aio.InferInput(column, list(part.shape), "BYTES" if column in CATEGORIES else "FP32")
                tensor.set_data_from_numpy(part)
                inputs.append(tensor)
            answer = await client.infer(model, inputs, headers={"Authorization": f"Bearer {key}"})
            late.append(answer.as_numpy("late"))
            probability.append(answer.as_numpy("probability"))
    wanted = await asyncio.to_thread(estimator.predict_proba, fit.matrix(after))
    labels = await asyncio.to_thread(estimator.predict, fit.matrix(after))
    np.testing.assert_array_equal(np.concatenate(late), labels)
    assert np.abs(np.concatenate(probability) - wanted).max() <= 1e-5


@pytest.mark.parametrize("name", ["linear", "forest"])
def test_what_travels_with_the_project_is_what_training_makes(name: str, models: dict[str, tuple[Any, Made]]) -> None:
    _, made = models[name]
    kept = trained(name)
    Engine(kept.content, kept.card)
    Engine(kept.content, made.card)
    for metric, value in made.card.metrics.items():
        assert kept.card.metrics[metric] == pytest.approx(value, abs=2e-3), metric


def test_both_are_better_than_the_baseline_and_know_their_limits(models: dict[str, tuple[Any, Made]]) -> None:
    for _, made in models.values():
        metrics = made.card.metrics
        assert metrics["log_loss"] < metrics["log_loss_of_baseline"] - 0.015
        assert metrics["brier"] < metrics["brier_of_baseline"]
        assert 0.64 < metrics["auc"] < 0.75
        assert sum(bar.count for bar in made.card.calibration) == 15690
        observed = [bar.observed for bar in made.card.calibration]
        assert observed == sorted(observed), "who is foretold to be late more often is late more often"


def test_an_export_that_differs_is_refused(models: dict[str, tuple[Any, Made]]) -> None:
    _, after = read()
    with pytest.raises(fit.DisagreesError):
        fit.compare(models["linear"][1].content, models["forest"][0], after)


def test_the_command_writes_what_can_be_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"linear": fit.estimators()["linear"]}
    monkeypatch.setattr(fit, "estimators", lambda: quick)
    fit.train(tmp_path)
    card = Card.model_validate(json.loads((tmp_path / "linear.json").read_text()))
    Engine((tmp_path / "linear.onnx").read_bytes(), card)


def test_the_models_that_travel_are_small() -> None:
    assert sum(file.stat().st_size for file in TRAINED.iterdir()) < 1_500_000
