"""What is measured: for Prometheus, for Triton's statistics extension, and for the page."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
STAGES = ("queue", "compute_input", "compute_infer", "compute_output")
REMEMBERED = 512  # requests, for the percentiles that the page shows


class Numbers:
    """The numbers of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["model", "version"]
        more = {"registry": self.registry}
        self.stage = Histogram("stage_seconds", "Time by stage", [*labels, "stage"], buckets=LATENCY, **more)
        self.request = Histogram("request_seconds", "From body to answer", labels, buckets=LATENCY, **more)
        self.batch = Histogram("batch_requests", "Requests computed together", labels, buckets=SIZES, **more)
        self.rows = Counter("rows", "Rows computed", labels, **more)
        self.failed = Counter("failed", "Requests without an answer", [*labels, "why"], **more)
        self.depth = Gauge("queue_depth", "Requests that wait", labels, **more)
        self.dropped = Counter("log_dropped", "Predictions that the log had no room for", **more)
        self._versions: dict[tuple[str, int], VersionNumbers] = {}

    def of(self, name: str, number: int) -> "VersionNumbers":
        """Those of a version; the same when it is loaded again."""
        if (name, number) not in self._versions:
            self._versions[name, number] = VersionNumbers(self, name, str(number))
        return self._versions[name, number]


class VersionNumbers:
    """The numbers of a version."""

    def __init__(self, everything: Numbers, name: str, version: str) -> None:
        self._fail = everything.failed
        self._labels = (name, version)
        self._stages = [everything.stage.labels(name, version, stage) for stage in STAGES]
        self._request = everything.request.labels(name, version)
        self._batch = everything.batch.labels(name, version)
        self._rows = everything.rows.labels(name, version)
        self._depth = everything.depth.labels(name, version)
        self.nanoseconds = dict.fromkeys((*STAGES, "success", "fail"), 0)
        self.counts = dict.fromkeys(("success", "fail", "rows", "runs"), 0)
        self.batches: dict[int, list[int]] = {}  # by rows: how many runs, and the nanoseconds of their three stages
        self.last = 0.0  # seconds since 1970
        self.recent: deque[float] = deque(maxlen=REMEMBERED)

    def watch(self, depth: Callable[[], float]) -> None:
        """Where to look how many requests wait."""
        self._depth.set_function(depth)

    def waited(self, seconds: float) -> None:
        """A request waited in the queue."""
        self._stages[0].observe(seconds)
        self.nanoseconds["queue"] += int(seconds * 1e9)

    def ran(self, requests: int, rows: int, *stages: float) -> None:
        """A batch was computed: preparing, running and splitting it took so long."""
        self._batch.observe(requests)
        self._rows.inc(rows)
        self.counts["rows"] += rows
        self.counts["runs"] += 1
        of_size = self.batches.setdefault(rows, [0, 0, 0, 0])
        of_size[0] += 1
        for place, (name, histogram, seconds) in enumerate(zip(STAGES[1:], self._stages[1:], stages, strict=True), 1):
            histogram.observe(seconds)
            self.nanoseconds[name] += int(seconds * 1e9)
            of_size[place] += int(seconds * 1e9)

    def answered(self, seconds: float, *, well: bool) -> None:
        """A request was answered, from its body to its answer."""
        kind = "success" if well else "fail"
        self.counts[kind] += 1
        self.nanoseconds[kind] += int(seconds * 1e9)
        if well:
            self._request.observe(seconds)
            self.recent.append(seconds)
            self.last = time.time()

    def rejected(self, why: str) -> None:
        """A request got no answer."""
        self._fail.labels(*self._labels, why).inc()

    def percentile(self, part: float) -> float | None:
        """Seconds within which that part of the recent requests was answered."""
        ordered = sorted(self.recent)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None

    def triton(self) -> dict[str, Any]:
        """As Triton's statistics extension has it."""

        def duration(count: int, nanoseconds: int) -> dict[str, int]:
            return {"count": count, "ns": nanoseconds}

        success, runs = self.counts["success"], self.counts["runs"]
        stages = {name: duration(success if name == "queue" else runs, self.nanoseconds[name]) for name in STAGES}
        return {
            "last_inference": int(self.last * 1000),
            "inference_count": self.counts["rows"],
            "execution_count": runs,
            "inference_stats": {
                "success": duration(success, self.nanoseconds["success"]),
                "fail": duration(self.counts["fail"], self.nanoseconds["fail"]),
                **stages,
            },
            "batch_stats": [
                {
                    "batch_size": rows,
                    **{name: duration(count, spent) for name, spent in zip(STAGES[1:], stages_, strict=True)},
                }
                for rows, (count, *stages_) in sorted(self.batches.items())
            ],
        }
