"""By what somebody acts, for the audit trail: so that no subject of a token passes for somebody at the desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

via: ContextVar[str] = ContextVar("via", default="command")


@contextmanager
def acting(by: str) -> Iterator[None]:
    """What is done within the block is done by this: `token`, `key 7`, `staff`."""
    before = via.set(by)
    try:
        yield
    finally:
        via.reset(before)
