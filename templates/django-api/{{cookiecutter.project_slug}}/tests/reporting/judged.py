"""What the suite needs to judge reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.processes import Processes

JUDGED_BY = ["test_full_reports.py", "test_full_schema.py"]


@contextmanager
def added(processes: Processes) -> Iterator[dict[str, Any]]:
    """A worker beside the servers."""
    worker = processes.start("report_worker", "--interval", "0.1")
    yield {"reports": True}
    worker.terminate()
    worker.wait(20)
