"""A model that is loaded: verified, inspected, checked against its card, and then run."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from app.inference.cards import Card, Output
from app.inference.errors import BadModel, ModelFailed, NotANumber
from app.inference.onnxfile import inspect
from app.inference.tensors import NUMPY, ONNX, Array


def digest(content: bytes) -> str:
    """What a model is named by: the SHA-256 of its bytes."""
    return hashlib.sha256(content).hexdigest()


class Engine:
    """A session of ONNX Runtime on one thread of its own caller; any number of threads may run it at once."""

    def __init__(self, content: bytes, card: Card, *, inspected: bool = False) -> None:
        """Raises BadModel when it is not what its card says, or does not give what it gave in training."""
        if not inspected:
            inspect(content)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own have no base in common
            raise BadModel("ONNX Runtime cannot load it.") from error
        self._outputs = [each.name for each in card.outputs]
        for found, said in ((self._session.get_inputs(), card.inputs), (self._session.get_outputs(), card.outputs)):
            _compare(found, said)
        _check(self, card)
        self.batchable = card.batched and _rows_are_apart(self, card)

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs. Raises ModelFailed."""
        try:
            return dict(zip(self._outputs, self._session.run(self._outputs, dict(tensors)), strict=True))
        except Exception as error:  # ONNX Runtime's own, or of a text that is no UTF-8, or of too little memory
            raise ModelFailed("It cannot be computed for these inputs.") from error


def fault(outputs: Mapping[str, Array]) -> NotANumber | None:
    """What is wrong with these outputs: a NaN or an infinity among them."""
    endless = [name for name, array in outputs.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    return NotANumber(f"Output {endless[0]} is not finite.") if endless else None


def _compare(found: Sequence[Any], said: Sequence[Output]) -> None:
    """Raises BadModel when the tensors of the file are not those of the card."""
    real = {each.name: (ONNX.get(each.type), each.shape) for each in found}
    if real.keys() != {each.name for each in said}:
        raise BadModel(f"The file has the tensors {sorted(real)}, which are not those of the card.")
    for each in said:
        datatype, shape = real[each.name]
        fixed = [size if isinstance(size, int) else -1 for size in shape or []]
        if datatype != each.datatype or (shape and not _same(fixed, each.shape)):
            raise BadModel(
                f"{each.name} is {datatype} {fixed} in the file, and {each.datatype} {each.shape} in the card."
            )


def _same(real: Sequence[int], said: Sequence[int]) -> bool:
    """Whether the sizes go together: the card may know one that the file leaves open, not the other way round."""
    return len(real) == len(said) and all(file in (-1, card) for file, card in zip(real, said, strict=True))


def _check(engine: Engine, card: Card) -> None:
    """Raises BadModel unless the rows of the card's check give what they gave in training."""
    try:
        outputs = engine.run(_rows(card))
        if error := fault(outputs):
            raise error
        for name, wanted in card.check.outputs.items():
            if not _equal(outputs[name], np.array(wanted, outputs[name].dtype), card):
                raise BadModel(f"On the card's own rows {name} is not what it was in training.")
    except (ModelFailed, NotANumber, ValueError, OverflowError, TypeError) as error:
        raise BadModel(f"It fails on the card's own rows: {error}") from error


def _rows(card: Card) -> dict[str, Array]:
    return {each.name: np.array(card.check.inputs[each.name], NUMPY[each.datatype]) for each in card.inputs}


def _equal(one: Array, other: Array, card: Card) -> bool:
    if one.shape != other.shape or one.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    return bool(np.allclose(one, other, rtol=card.check.tolerance, atol=card.check.tolerance))


def _rows_are_apart(engine: Engine, card: Card) -> bool:
    """Whether each row of the check gives the same alone as among the others; else nothing is put together."""
    given = _rows(card)
    together, count = engine.run(given), len(next(iter(given.values())))
    for row in range(count):
        alone = engine.run({name: array[row : row + 1] for name, array in given.items()})
        if not all(_equal(array, together[name][row : row + 1], card) for name, array in alone.items()):
            return False
    return count > 1  # one row alone shows nothing
