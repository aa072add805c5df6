"""Metrics: what an operator watches, for Prometheus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.extras import Extra
from app.metrics.collector import Metrics, MetricsSettings
from app.metrics.routes import router
from app.state import State


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Listen to what the hub measures."""
    state["extras"]["metrics"] = Metrics(state["hub"], token=MetricsSettings().metrics_token)
    yield


extra = Extra(router=router, lifespan=lifespan)
