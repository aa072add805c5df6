"""A form with a field for each input, to try a prediction. It works without scripts."""

import time
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError

from app.keys.permissions import MaybeHolder
from app.pages import templates
from app.plain.services import parse, tensors
from app.problems import Problem
from app.serving.predict import predict
from app.state import AppState

router = APIRouter(prefix="/try", include_in_schema=False)


@router.get("")
async def choose(request: Request, state: AppState, holder: MaybeHolder, name: str = "") -> Response:
    """The form of a model, of the first one if none is named."""
    return await _show(request, state, holder, name or next(iter(state["shelf"].models), ""))


@router.post("/{name}")
async def answer(name: str, request: Request, state: AppState, holder: MaybeHolder) -> Response:
    """What is foretold for the fields."""
    began, shown, status = time.perf_counter(), dict[str, Any](), 200
    shown["row"] = dict(parse_qsl((await request.body()).decode(errors="replace"), max_num_fields=300))
    if holder is None:
        return await _show(request, state, holder, name)
    try:
        for limit in state["limits"]:
            await limit(holder)
        lane = await state["shelf"].lane(name, choose=True)
        given = tensors(lane.card, parse(lane, shown["row"]))
        outputs = await predict(request, state, holder, lane, given, began=began)
        shown["outputs"] = {output: array[0].tolist() for output, array in outputs.items()}
    except RequestValidationError as error:
        shown["faults"] = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
        status = 422
    except Problem as problem:
        shown["said"], status = f"{problem.as_dict()['title']}. {problem.detail}", problem.status
    return await _show(request, state, holder, name, status=status, **shown)


async def _show(
    request: Request,
    state: AppState,
    holder: MaybeHolder,
    name: str,
    *,
    status: int = 200,
    **more: Any,  # noqa: ANN401
) -> Response:
    shelved = state["shelf"].models.get(name)
    lane = shelved.lane if shelved else None
    shown = {"holder": holder, "name": name, "lane": lane, "names": list(state["shelf"].models), **more}
    status = 401 if holder is None else status
    return templates.TemplateResponse(request, "try.html", shown, status, {"Cache-Control": "no-store"})
