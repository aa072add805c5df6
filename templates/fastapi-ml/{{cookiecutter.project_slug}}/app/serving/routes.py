"""The Open Inference Protocol, version 2, over HTTP, and Triton's extensions to it.

kserve.github.io/open-inference-protocol has the protocol; Triton's documentation the binary tensor data, model
repository, model configuration and statistics extensions. Its clients take no other status than 200 for success.
"""

import time
from importlib.metadata import version as installed
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.inference.cards import Output
from app.inference.errors import BadInput
from app.keys.permissions import Admin, Predictor, admin, predictor
from app.registry import services as registry
from app.serving import bodies
from app.serving.batching import Lane
from app.serving.errors import NotServed
from app.serving.predict import predict
from app.state import AppState

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
MODEL, VERSION = "/models/{name}", "/models/{name}/versions/{version}"
EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository", "statistics"]


async def lane_of(name: str, state: AppState, version: str = "") -> Lane:
    """The version that is named, or the primary one."""
    return await state["shelf"].lane(name, version)


ThisLane = Annotated[Lane, Depends(lane_of)]


@router.get("")
async def server() -> dict[str, Any]:
    """What this server is."""
    return {"name": "onnxruntime", "version": installed("onnxruntime"), "extensions": EXTENSIONS}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether the process answers."""
    return {"live": True}


@router.get("/health/ready")
async def ready(state: AppState) -> dict[str, bool]:
    """Whether every model that is to be served can be. Raises NotServed."""
    for name, shelved in state["shelf"].models.items():
        if shelved.served and name in state["shelf"].faulty:
            raise NotServed(f"The primary version of {name} failed its check.")
    return {"ready": True}


@router.get(f"{MODEL}/ready")
@router.get(f"{VERSION}/ready")
async def model_ready(_: Predictor, lane: ThisLane) -> dict[str, Any]:
    """Whether the model can be asked."""
    return {"name": lane.name, "ready": True}


@router.get(MODEL)
@router.get(VERSION)
async def metadata(_: Predictor, lane: ThisLane) -> dict[str, Any]:
    """The tensors of a model."""
    return {
        "name": lane.name,
        "versions": [str(lane.number)],
        "platform": "onnxruntime_onnx",
        "inputs": [_tensor(each) for each in lane.card.inputs],
        "outputs": [_tensor(each) for each in lane.card.outputs],
    }


def _tensor(each: Output) -> dict[str, Any]:
    return {"name": each.name, "datatype": each.datatype, "shape": each.shape}


@router.get(f"{MODEL}/config")
@router.get(f"{VERSION}/config")
async def config(_: Predictor, lane: ThisLane, state: AppState) -> dict[str, Any]:
    """The configuration as Triton words it. There the number of rows is not part of a shape."""
    batched = lane.engine.batchable
    return {
        "name": lane.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"specific": {"versions": [lane.number]}},
        "max_batch_size": state["settings"].longest_batch if batched else 0,
        "input": [_configured(each, batched=batched) for each in lane.card.inputs],
        "output": [_configured(each, batched=batched) for each in lane.card.outputs],
        "dynamic_batching": {},
    }


def _configured(each: Output, *, batched: bool) -> dict[str, Any]:
    kind = "TYPE_STRING" if each.datatype == "BYTES" else f"TYPE_{each.datatype}"
    return {"name": each.name, "data_type": kind, "dims": (each.shape[1:] or [1]) if batched else each.shape}


@router.get("/models/stats", dependencies=[Depends(predictor)])
async def all_statistics(state: AppState) -> dict[str, Any]:
    """The statistics of the versions that this process has as primary ones."""
    lanes = [each.lane for each in state["shelf"].models.values() if each.lane]
    return {"model_stats": [_statistics(lane) for lane in lanes]}


@router.get(f"{MODEL}/stats")
@router.get(f"{VERSION}/stats")
async def statistics(_: Predictor, lane: ThisLane) -> dict[str, Any]:
    """The statistics of a version, in this process since it started."""
    return {"model_stats": [_statistics(lane)]}


def _statistics(lane: Lane) -> dict[str, Any]:
    return {"name": lane.name, "version": str(lane.number), **lane.numbers.triton()}


@router.post(f"{MODEL}/infer")
@router.post(f"{VERSION}/infer")
async def infer(request: Request, state: AppState, holder: Predictor, lane: ThisLane) -> Response:
    """Predict. Tensors are JSON, or bytes behind it; the body may be compressed by gzip or deflate."""
    began = time.perf_counter()
    asked, tensors = await bodies.read(request)
    kinds = {each.name: each.datatype for each in lane.card.outputs}
    if unknown := [each.name for each in asked.outputs or () if each.name not in kinds]:
        raise BadInput(f"There is no output {unknown[0]}.")
    outputs = await predict(request, state, holder, lane, tensors, began=began)
    return bodies.answer(asked, lane.name, lane.number, kinds, outputs)


@router.post("/repository/index", dependencies=[Depends(predictor)])
async def index(state: AppState) -> list[dict[str, str]]:
    """The versions of all models, and whether each can be asked."""
    found = []
    for name, shelved in state["shelf"].models.items():
        said = {"state": "READY", "reason": ""} if shelved.served else {"state": "UNAVAILABLE", "reason": "unloaded"}
        for version in await registry.versions(state["database"], name=name):
            found.append({"name": name, "version": str(version.number), **said})  # noqa: PERF401
    return found


@router.post("/repository/models/{name}/load", dependencies=[Depends(admin)])
async def load(name: str, state: AppState) -> dict[str, Any]:
    """Let every process serve a model again."""
    await registry.set_served(state["database"], name=name, served=True)
    await state["shelf"].refresh()
    return {}


@router.post("/repository/models/{name}/unload", dependencies=[Depends(admin)])
async def unload(name: str, state: AppState) -> dict[str, Any]:
    """Let no process serve a model any more, until it is loaded again."""
    await registry.set_served(state["database"], name=name, served=False)
    await state["shelf"].refresh()
    return {}
