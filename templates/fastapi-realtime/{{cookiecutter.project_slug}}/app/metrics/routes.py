"""`/metrics`, in Prometheus' format, for whoever shows METRICS_TOKEN."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from app.metrics.collector import Metrics
from app.state import AppState

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(state: AppState, authorization: Annotated[str, Header()] = "") -> Response:
    """The numbers of the process that answers."""
    numbers: Metrics = state["extras"]["metrics"]
    right = numbers.token and f"Bearer {numbers.token.get_secret_value()}"
    if not right or not secrets.compare_digest(authorization.encode(), right.encode()):
        raise HTTPException(404)
    return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_LATEST)
