"""The Open Inference Protocol, version 2, over HTTP, with tensors as bytes by Triton's binary data extension.

kserve/open-inference-protocol on GitHub has the protocol. Triton's clients take no other status than 200 for success.
"""

import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version as installed
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import Route

from app.inference.cards import Output
from app.inference.errors import BadInput
from app.keys.permissions import Predictor, predictor
from app.registry import services as registry
from app.serving import bodies
from app.serving.batching import Lane
from app.serving.errors import NotServed
from app.serving.predict import predict
from app.state import AppState, state_of

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
MODEL, VERSION = "/models/{name}", "/models/{name}/versions/{version}"


async def lane_of(name: str, state: AppState, version: str = "") -> Lane:
    """The version that is named, or the primary one."""
    return await state["shelf"].lane(name, version)


ThisLane = Annotated[Lane, Depends(lane_of)]


@router.get("")
async def server(state: AppState) -> dict[str, Any]:
    """What this server is."""
    return {"name": "onnxruntime", "version": installed("onnxruntime"), "extensions": state["extensions"]}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether the process answers."""
    return {"live": True}


@router.get("/health/ready")
async def ready(state: AppState) -> dict[str, bool]:
    """Whether every model that is to be served can be. Raises NotServed."""
    if faulty := [name for name in state["shelf"].faulty if state["shelf"].models[name].served]:
        raise NotServed(f"The primary version of {faulty[0]} failed its check.")
    return {"ready": True}


@router.get(f"{MODEL}/ready")
@router.get(f"{VERSION}/ready")
async def model_ready(_: Predictor, lane: ThisLane) -> dict[str, Any]:
    """Whether the model can be asked."""
    return {"name": lane.name, "ready": True}


@router.get(MODEL)
@router.get(VERSION)
async def metadata(_: Predictor, lane: ThisLane, state: AppState) -> dict[str, Any]:
    """The tensors of a version, and which versions can be asked for by number."""
    known = await registry.versions(state["database"], name=lane.name)
    return {
        "name": lane.name,
        "versions": [str(each.number) for each in reversed(known)],
        "platform": "onnxruntime_onnx",
        "inputs": [_tensor(each) for each in lane.card.inputs],
        "outputs": [_tensor(each) for each in lane.card.outputs],
    }


def _tensor(each: Output) -> dict[str, Any]:
    return {"name": each.name, "datatype": each.datatype, "shape": each.shape}


# The parameters of the paths, for OpenAPI.
NAMED = [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in ("name", "version")]


@router.post(f"{MODEL}/infer", openapi_extra={"parameters": NAMED[:1]})
@router.post(f"{VERSION}/infer", openapi_extra={"parameters": NAMED})
async def infer(request: Request) -> Response:
    """Predict. Tensors are JSON, or bytes behind it; the body may be compressed by gzip or deflate."""
    began = time.perf_counter()
    state, holder = await state_of(request), await predictor(request)
    lane = await state["shelf"].lane(**request.path_params, choose=True)
    asked, tensors = await bodies.read(request)
    kinds = {each.name: each.datatype for each in lane.card.outputs}
    if unknown := [each.name for each in asked.outputs or () if each.name not in kinds]:
        raise BadInput(f"There is no output {unknown[0]}.")
    outputs = await predict(request, state, holder, lane, tensors, began=began)
    return bodies.answer(asked, lane.name, lane.number, kinds, outputs)


def short_cut(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
    """A route that is found first, and without what FastAPI does around a handler: it costs more than a small model."""
    limit = Middleware(RequestBodyLimitMiddleware, max_body_size=bodies.LONGEST)
    return Route(path, handler, methods=["POST"], middleware=[limit])


short_cuts = [short_cut(f"/v2{path}/infer", infer) for path in (MODEL, VERSION)]
