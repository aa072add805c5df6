"""Occlusion: how a prediction changes when one input is not known.

What is not known is replaced by what training saw: each of its values by its share, ten at most. The difference between
the prediction and its mean over these is what the input contributed. (Zeiler and Fergus occluded parts of pictures; for
tables the marginal distribution is the usual stand-in. Inputs that hang together are taken apart by it, which it shares
with every explanation of its kind.)
"""

from collections.abc import Mapping

import numpy as np

from app.inference.cards import Card, Statistics
from app.inference.errors import BadInput
from app.inference.tensors import NUMPY, Array
from app.serving.batching import Lane

MOST = 10  # values that stand in for one


async def explain(lane: Lane, row: Mapping[str, Array], *, seconds: float) -> dict[str, dict[str, list[float]]]:
    """For each output of numbers: what each input contributed, value by value. Raises BadInput for several rows.

    All stand-ins of all inputs are one batch.
    """
    if not lane.engine.batchable or any(len(array) != 1 for array in row.values()):
        raise BadInput("Explain one row at a time, of a model that takes any number of them.")
    known = {name: stand_ins(lane.card, name) for name in lane.card.statistics if row[name].size == 1}
    rows = {name: [array] for name, array in row.items()}
    for occluded, (values, _) in known.items():
        for name, array in row.items():
            rows[name].append(values if name == occluded else np.repeat(array, len(values), axis=0))
    outputs = await lane.infer({name: np.concatenate(parts) for name, parts in rows.items()}, seconds=seconds)
    found: dict[str, dict[str, list[float]]] = {}
    for output, array in outputs.items():
        if array.dtype.kind != "f":
            continue
        flat, at = array.reshape(len(array), -1).astype(float), 1
        found[output] = {}
        for name, (values, shares) in known.items():
            mean = shares @ flat[at : at + len(values)]
            found[output][name] = (flat[0] - mean).round(6).tolist()
            at += len(values)
    return found


def stand_ins(card: Card, name: str) -> tuple[Array, Array]:
    """The values that stand in for an input that is not known, and the share of each."""
    known: Statistics = card.statistics[name]
    (takes,) = (each for each in card.inputs if each.name == name)
    counts = np.array(known.counts, float)
    largest = np.argsort(-counts, kind="stable")[:MOST]
    if known.categories is not None:
        values = np.array(known.categories, object)[largest]
    else:
        edges = np.array(known.edges)
        values = ((edges[:-1] + edges[1:]) / 2)[largest]
    return values.astype(NUMPY[takes.datatype]).reshape(-1, *takes.shape[1:]), counts[largest] / counts[largest].sum()
