"""The numbers of one process."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.live.hub import Hub


class MetricsSettings(BaseSettings):
    """METRICS_TOKEN unset, nobody may read the numbers, and it looks as if there were none."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    metrics_token: SecretStr | None = None


class Metrics(Collector):
    """What the hub measures, and what one sees when one looks at its connections."""

    def __init__(self, hub: Hub, *, token: SecretStr | None) -> None:
        self.registry = CollectorRegistry()
        self.token = token
        self._hub = hub
        self._fan_out = Histogram("fan_out_seconds", "To hand news to all who follow a room", registry=self.registry)
        self._happened = Counter("live", "How often this happened to a reader", ["what"], registry=self.registry)
        self.registry.register(self)
        hub.measure = self.measure

    def measure(self, what: str, value: float) -> None:
        """Note one thing; the fan-out is in seconds, everything else is counted."""
        if what == "fan-out":
            self._fan_out.observe(value)
        else:
            self._happened.labels(what).inc(value)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The connections by kind, and what waits to be sent to them."""
        connections = GaugeMetricFamily("connections", "Open sockets and streams", labels=["kind"])
        for kind, number in Tally(type(each).__name__.lower() for each in self._hub.connections).items():
            connections.add_metric([kind], number)
        yield connections
        behind = [each.behind for each in self._hub.connections]
        yield GaugeMetricFamily("queue_depth", "Events that wait to be sent", value=sum(behind))
        yield GaugeMetricFamily("queue_depth_highest", "… to the slowest reader", value=max(behind, default=0))
