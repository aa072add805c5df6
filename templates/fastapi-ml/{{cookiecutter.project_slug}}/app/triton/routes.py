"""Triton's extensions to the protocol: the configuration and the statistics of a model, and the model repository."""

from typing import Any

from fastapi import APIRouter, Depends

from app.inference.cards import Output
from app.keys.permissions import Predictor, admin, predictor
from app.registry import services as registry
from app.serving.batching import Lane
from app.serving.numbers import STAGES, Numbers
from app.serving.routes import MODEL, VERSION, ThisLane
from app.state import AppState
from app.triton.services import set_served

router = APIRouter(prefix="/v2", tags=["Triton's extensions"])


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
    return {"name": lane.name, "version": str(lane.number), **triton(lane.numbers)}


def triton(numbers: Numbers) -> dict[str, Any]:
    """The numbers in Triton's words: nanoseconds, and counts of what took them."""

    def duration(count: float, seconds: float) -> dict[str, int]:
        return {"count": int(count), "ns": int(seconds * 1e9)}

    counts = {"queue": numbers.success, **dict.fromkeys(STAGES[1:], numbers.runs)}
    counts |= {"success": numbers.success, "fail": numbers.fail}
    return {
        "last_inference": int(numbers.last * 1000),
        "inference_count": numbers.rows,
        "execution_count": numbers.runs,
        "inference_stats": {name: duration(count, numbers.seconds[name]) for name, count in counts.items()},
        "batch_stats": [
            {
                "batch_size": rows,
                **{name: duration(runs, spent) for name, spent in zip(STAGES[1:], stages, strict=True)},
            }
            for rows, (runs, *stages) in sorted(numbers.by_rows.items())
        ],
    }


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
    await set_served(state["database"], name=name, served=True)
    await state["shelf"].refresh()
    return {}


@router.post("/repository/models/{name}/unload", dependencies=[Depends(admin)])
async def unload(name: str, state: AppState) -> dict[str, Any]:
    """Let no process serve a model any more, until it is loaded again."""
    await set_served(state["database"], name=name, served=False)
    await state["shelf"].refresh()
    return {}
