"""`/metrics`, in Prometheus' format, for whoever shows METRICS_TOKEN."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from app.state import AppState

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(state: AppState, authorization: Annotated[str, Header()] = "") -> Response:
    """The numbers of the process that answers."""
    token = state["settings"].metrics_token
    right = token and f"Bearer {token.get_secret_value()}"
    if not right or not secrets.compare_digest(authorization.encode(), right.encode()):
        raise HTTPException(404)
    return Response(generate_latest(state["numbers"].registry), media_type=CONTENT_TYPE_LATEST)
