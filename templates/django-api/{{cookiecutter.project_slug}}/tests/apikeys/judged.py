"""What the suite needs to judge keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.processes import Processes

JUDGED_BY = ["test_full_keys.py"]


@contextmanager
def added(processes: Processes) -> Iterator[dict[str, Any]]:
    """A key that is good, one that was revoked, and one whose time is over; all of the same subject."""
    made = ["issue_key", "till", "--scope", "stock:read stock:write"]
    key, revoked = (processes.run(*made).strip() for _ in range(2))
    processes.run("revoke_key", revoked)
    yield {"key": key, "revoked_key": revoked, "expired_key": processes.run(*made, "--days", "-1").strip()}
