"""Metrics: what an operator watches, for Prometheus."""

from app.extras import Extra
from app.metrics.routes import router

extra = Extra(router=router)
