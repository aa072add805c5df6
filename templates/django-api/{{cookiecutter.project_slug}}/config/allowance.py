"""How often a caller may ask, over all processes, without a question to the database for each request.

A process takes a twentieth of a span's requests at a time. So nobody has more than their allowance; what a process took
and does not use is lost until the span is over. The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
import time
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import used

BLOCKS = 20


@dataclass
class Block:
    """What this process has taken for a caller and not used yet, and what nobody has taken."""

    mine: int = 0
    others: int = 1
    turn: Lock = field(default_factory=Lock)


type Whose = tuple[str, int, int]  # a caller, the end of a span, and the allowance

turn = Lock()


class Allowance(BaseThrottle):
    """One for each caller, in spans of so many seconds."""

    seconds = 0  # until the next one begins

    def allow_request(self, _request: Request, view: Any) -> bool:
        """Count this request, and have its answer tell what is left; whether it is within the allowance."""
        limit, span, now = settings.RATE_LIMIT, settings.RATE_SECONDS, int(time.time())
        self.seconds = span - now % span
        left = take((view.caller.subject, now + self.seconds, limit), span)
        view.allowance = {
            "RateLimit-Policy": f'"default";q={limit};w={span}',
            "RateLimit": f'"default";r={max(left, 0)};t={self.seconds}',
        }
        return left >= 0

    def wait(self) -> float:
        return float(self.seconds)


def take(whose: Whose, span: int) -> int:
    """Count a request; how many are left, less than none for one too many."""
    subject, _, limit = whose
    size = math.ceil(limit / BLOCKS)
    with turn:  # two who come first at once get the same block
        block = block_of(whose)
    with block.turn:  # who asks meanwhile waits for the same answer of the database; nobody else does
        if block.mine <= 0 < block.others:
            # Another limit, as while a deploy changes it, counts for itself.
            taken = used(f"request of {limit}", subject, seconds=span, times=size)
            block.mine = max(0, min(size, limit - (taken - size)))
            block.others = max(0, limit - taken)
        block.mine -= 1
        return block.mine + block.others


@lru_cache(maxsize=10_000)
def block_of(_whose: Whose) -> Block:
    """The block of somebody. Of more callers than these, who asked longest ago begins anew."""
    return Block()
