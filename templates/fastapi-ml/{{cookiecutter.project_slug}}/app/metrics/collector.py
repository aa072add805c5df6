"""The numbers of a process, as Prometheus reads them."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.serving.numbers import BOUNDS, STAGES
from app.serving.shelf import Shelf

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LABELS = ("model", "version")


class Shown(Collector):
    """What the shelf's versions have measured, and what is waiting now."""

    def __init__(self, shelf: Shelf, counters: Mapping[str, int]) -> None:
        self._shelf, self._counters = shelf, counters

    def collect(self) -> Iterable[Metric]:
        """One family after the other."""
        latency = HistogramMetricFamily("request_seconds", "From head to answer", labels=LABELS)
        batches = HistogramMetricFamily("batch_requests", "Requests computed at once", labels=LABELS)
        stages = CounterMetricFamily("stage_seconds", "Time by stage", labels=[*LABELS, "stage"])
        rows = CounterMetricFamily("rows", "Rows computed", labels=LABELS)
        failed = CounterMetricFamily("failed", "Requests without an answer", labels=[*LABELS, "why"])
        for (name, number), numbers in self._shelf.numbers.items():
            labels = [name, str(number)]
            latency.add_metric(labels, _buckets(BOUNDS, numbers.buckets), numbers.seconds["success"])
            sizes = [sum(runs for size, runs in numbers.together.items() if size <= bound) for bound in BATCHES]
            bounds = [*map(str, map(float, BATCHES)), "+Inf"]
            total = sum(size * runs for size, runs in numbers.together.items())
            batches.add_metric(labels, list(zip(bounds, [*sizes, numbers.runs], strict=True)), total)
            for stage in STAGES:
                stages.add_metric([*labels, stage], numbers.seconds[stage])
            rows.add_metric(labels, numbers.rows)
            for why, count in numbers.why.items():
                failed.add_metric([*labels, why], count)
        yield from (latency, batches, stages, rows, failed)
        depth = GaugeMetricFamily("queue_depth", "Requests that wait", labels=LABELS)
        for name, shelved in self._shelf.models.items():
            if shelved.lane:
                depth.add_metric([name, str(shelved.lane.number)], shelved.lane.depth)
        yield depth
        for name, count in self._counters.items():
            yield CounterMetricFamily(name, name.replace("_", " "), value=count)


def _buckets(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """How many were at most that large, as Prometheus wants it."""
    return list(zip([*map(str, bounds), "+Inf"], map(float, accumulate(counts)), strict=True))
