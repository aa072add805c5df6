"""The way of a prediction through the process, whatever protocol it came by."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from app.inference.cards import Card
from app.inference.errors import BadInput
from app.inference.tensors import Array, fits
from app.keys.services import Holder
from app.problems import Problem
from app.serving.batching import Lane
from app.state import State

logger = logging.getLogger(__name__)


async def predict(
    request: Request, state: State, holder: Holder, lane: Lane, tensors: Mapping[str, Array], *, began: float
) -> dict[str, Array]:
    """The outputs. Raises what is wrong with the inputs, the model, or the time that it took.

    When the client goes away, its place in the queue is free at once.
    """
    try:
        complete(lane.card, tensors)
        if lane.brief(tensors):
            outputs = lane.infer_here(tensors)
        else:
            outputs = await unless_left(request, lane.infer(tensors, seconds=state["settings"].deadline_seconds))
    except (Problem, ClientDisconnect) as error:
        lane.numbers.failed(time.perf_counter() - began, type(error).__name__)
        raise
    lane.numbers.answered(time.perf_counter() - began)
    for observer in state["observers"]:
        try:
            observer(holder, lane, tensors, outputs)
        except Exception:
            logger.exception("A prediction was answered, and not observed.")
    return outputs


async def unless_left[Result](request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work comes to. Raises ClientDisconnect, and ends the work, when the client goes away before."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def left(request: Request) -> None:
    """Returns when the client is gone. To be asked when the body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def complete(card: Card, tensors: Mapping[str, Array]) -> None:
    """Raises BadInput unless these are the card's inputs, each as it should be, with as many rows as the others."""
    if missing := [each.name for each in card.inputs if each.name not in tensors]:
        raise BadInput(f"Input {missing[0]} is missing.")
    if len(tensors) > len(card.inputs):
        unknown = tensors.keys() - {each.name for each in card.inputs}
        raise BadInput(f"There is no input {min(unknown)}.")
    for each in card.inputs:
        fits(each, tensors[each.name])
    if card.batched and len({len(array) for array in tensors.values()}) > 1:
        raise BadInput("The inputs do not have the same number of rows.")
    if any(not array.size for array in tensors.values()):
        raise BadInput("There are no rows.")
