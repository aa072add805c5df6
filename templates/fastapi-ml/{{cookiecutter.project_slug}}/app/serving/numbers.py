"""What a process measures of each version that it serves: for the page, and for whoever reads it from outside."""

import time
from bisect import bisect_left
from collections import Counter, deque

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
STAGES = ("queue", "compute_input", "compute_infer", "compute_output")  # in Triton's words
REMEMBERED = 512  # requests, for the percentiles that the page shows


class Numbers:
    """The numbers of a version, since the process started."""

    def __init__(self) -> None:
        self.success = self.fail = self.rows = self.runs = 0
        self.seconds = dict.fromkeys((*STAGES, "success", "fail"), 0.0)
        self.buckets = [0] * (len(BOUNDS) + 1)  # requests by how long they took
        self.together = Counter[int]()  # runs by how many requests were computed at once
        self.by_rows: dict[int, list[float]] = {}  # by rows: how many runs, and the seconds of their three stages
        self.why = Counter[str]()  # requests without an answer
        self.last = 0.0  # seconds since 1970
        self.recent: deque[float] = deque(maxlen=REMEMBERED)

    def ran(self, waits: list[float], rows: int, stages: tuple[float, float, float]) -> None:
        """A batch was computed, of requests that had waited so long; the three stages took so many seconds."""
        self.runs += 1
        self.rows += rows
        self.together[len(waits)] += 1
        self.seconds["queue"] += sum(waits)
        of_size = self.by_rows.setdefault(rows, [0, 0, 0, 0])
        of_size[0] += 1
        for place, (name, took) in enumerate(zip(STAGES[1:], stages, strict=True), 1):
            self.seconds[name] += took
            of_size[place] += took

    def answered(self, seconds: float) -> None:
        """A request was answered, so many seconds after its head was read."""
        self.success += 1
        self.seconds["success"] += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.recent.append(seconds)
        self.last = time.time()

    def failed(self, seconds: float, why: str) -> None:
        """A request got no answer."""
        self.fail += 1
        self.seconds["fail"] += seconds
        self.why[why] += 1

    def percentile(self, part: float) -> float | None:
        """Seconds within which that part of the recent requests was answered."""
        ordered = sorted(self.recent)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None
