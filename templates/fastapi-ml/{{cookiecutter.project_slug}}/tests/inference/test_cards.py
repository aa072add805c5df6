"""Cards: what is known of a model has to fit together."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from app.inference.cards import Card
from tests.models import times, trained


def changed(**change: Any) -> dict[str, Any]:
    """A good card, with something else in it."""
    card: dict[str, Any] = json.loads(times(2).card.model_dump_json())
    return card | change


def test_a_card_is_the_same_after_it_was_kept() -> None:
    for card in (times(2).card, trained("forest").card):
        assert Card.model_validate_json(card.model_dump_json(exclude_defaults=True)) == card


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licence": "MIT"}, "Extra inputs"),
        ({"inputs": []}, "at least 1 item"),
        ({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}] * 2}, "the same name"),
        ({"inputs": [{"name": "x y", "datatype": "FP32", "shape": [-1]}]}, "should match pattern"),
        ({"inputs": [{"name": "x", "datatype": "BF16", "shape": [-1]}]}, "Input should be 'BOOL'"),
        ({"inputs": [{"name": "x", "datatype": "FP32", "shape": []}]}, "at least 1 item"),
        ({"check": {"inputs": {}, "outputs": {"y": [1]}}}, "names of the inputs"),
        ({"check": {"inputs": {"x": [1]}, "outputs": {}}}, "checks nothing"),
        ({"check": {"inputs": {"x": [1]}, "outputs": {"y": [1]}, "tolerance": 1}}, "less than or equal to 0.1"),
        ({"metrics": {"auc": float("nan")}}, "finite"),
        ({"description": "\0"}, "should match pattern"),
        ({"statistics": {"nope": {"edges": [0, 1], "counts": [1]}}}, "statistics of nope"),
        ({"statistics": {"x": {"edges": [0, 1, 2], "counts": [1]}}}, "statistics of x"),
        ({"statistics": {"x": {"edges": [1, 0], "counts": [1]}}}, "statistics of x"),
        ({"statistics": {"x": {"edges": [0, 1], "counts": [0]}}}, "statistics of x"),
        ({"statistics": {"x": {"categories": ["a"], "counts": [1]}}}, "statistics of x"),
    ],
)
def test_a_card_that_does_not_fit_together_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Card.model_validate(changed(**change))
