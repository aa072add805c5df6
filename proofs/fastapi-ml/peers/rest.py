"""FastAPI by hand: a null endpoint, scikit-learn in a `def`, ONNX Runtime in a `def`. Started by bench.py.

`def` endpoints are what FastAPI's documentation advises for work that blocks: they run in a pool of threads.
"""

import os
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI

app = FastAPI()
KIND, MODEL = os.environ["KIND"], os.environ["MODEL"]
WORDS = ("carrier", "origin", "destination", "weekday")

if KIND == "naive":
    from app.training import fit
    from app.training.flights import COLUMNS, read

    before, _ = read()
    estimator = fit.estimators()["forest"].fit(fit.matrix(before), before.late)
elif KIND == "onnx":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["FILE"], options, providers=["CPUExecutionProvider"])


@app.post("/predict")
def predict(row: dict[str, Any]) -> dict[str, Any]:
    """One row."""
    if KIND == "null":
        return {"outputs": {"probability": [0.5, 0.5]}}
    if KIND == "naive":
        values = np.array([[row[name] for name in COLUMNS]], object)
        return {"outputs": {"probability": estimator.predict_proba(values)[0].tolist()}}
    tensors = {
        name: np.array([value] if isinstance(value, list) else [[value]], object if name in WORDS else np.float32)
        for name, value in row.items()
    }
    outputs = session.run(None, tensors)
    return {"outputs": [array[0].tolist() for array in outputs]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="error", access_log=False)
