"""BentoML with its adaptive batching: a batchable API, one worker. Started by bench.py through `bentoml serve`."""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime

WORDS = ("carrier", "origin", "destination", "weekday")


@bentoml.service(workers=1, traffic={"timeout": 30})
class Service:
    """As its documentation has it."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["FILE"], options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=10_000)
    def predict(self, rows: list[dict[str, Any]]) -> list[list[Any]]:
        """So many rows."""

        def column(name: str) -> np.ndarray:
            values = [row[name] if isinstance(row[name], list) else [row[name]] for row in rows]
            return np.array(values, object if name in WORDS else np.float32)

        outputs = self.session.run(None, {name: column(name) for name in rows[0]})
        return [[array[row].tolist() for array in outputs] for row in range(len(rows))]
