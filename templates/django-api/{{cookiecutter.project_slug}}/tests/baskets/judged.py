"""What the suite needs to judge baskets: nothing but that they are here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.processes import Processes

JUDGED_BY = ["test_full_bulk.py", "test_full_schema.py"]


@contextmanager
def added(_processes: Processes) -> Iterator[dict[str, Any]]:
    """Nothing."""
    yield {}
