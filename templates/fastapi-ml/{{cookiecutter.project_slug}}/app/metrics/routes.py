"""`/metrics`, in Prometheus' format, for whoever shows METRICS_TOKEN."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.exceptions import HTTPException

from app.metrics.collector import Shown
from app.state import AppState

router = APIRouter(include_in_schema=False)


class MetricsSettings(BaseSettings):
    """METRICS_TOKEN unset, nobody may read the numbers, and it looks as if there were none."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    metrics_token: SecretStr | None = None


@router.get("/metrics")
async def metrics(state: AppState, authorization: Annotated[str, Header()] = "") -> Response:
    """The numbers of the process that answers."""
    token = MetricsSettings().metrics_token
    right = token and f"Bearer {token.get_secret_value()}"
    if not right or not secrets.compare_digest(authorization.encode(), right.encode()):
        raise HTTPException(404)
    registry = CollectorRegistry()
    registry.register(Shown(state["shelf"], state["counters"]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
