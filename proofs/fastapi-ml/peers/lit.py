"""LitServe with its batching: a LitAPI with batch, predict and unbatch, one worker. Started by bench.py."""

import os
from typing import Any

import litserve
import numpy as np
import onnxruntime

WORDS = ("carrier", "origin", "destination", "weekday")


class Api(litserve.LitAPI):
    """As its documentation has it."""

    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["FILE"], options, providers=["CPUExecutionProvider"])

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def batch(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        def column(name: str) -> np.ndarray:
            values = [row[name] if isinstance(row[name], list) else [row[name]] for row in inputs]
            return np.array(values, object if name in WORDS else np.float32)

        return {name: column(name) for name in inputs[0]}

    def predict(self, x: dict[str, Any]) -> list[np.ndarray]:
        return self.session.run(None, x)

    def unbatch(self, output: list[np.ndarray]) -> list[list[Any]]:
        return [[array[row].tolist() for array in output] for row in range(len(output[0]))]

    def encode_response(self, output: list[Any]) -> dict[str, Any]:
        return {"outputs": output}


if __name__ == "__main__":
    api = Api(max_batch_size=64, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="error")
