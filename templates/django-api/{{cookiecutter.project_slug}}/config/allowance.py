"""How often a caller may ask, over all processes, without a question to the database for each request.

A process takes a twentieth of a span's requests at a time. So nobody has more than their allowance; what a process took
and does not use is lost until the span is over. The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import used

BLOCKS = 20
MOST_KNOWN = 10_000


@dataclass
class Block:
    """What this process has taken for a caller and not used yet, and what nobody has taken."""

    mine: int = 0
    others: int = 1
    turn: Lock = field(default_factory=Lock)


type Whose = tuple[str, int, int]  # a caller, the end of a span, and the allowance

blocks: dict[Whose, Block] = {}
turn = Lock()


class Allowance(BaseThrottle):
    """One for each caller, in spans of so many seconds."""

    seconds = 0  # until the next one begins

    def allow_request(self, _request: Request, view: Any) -> bool:
        """Count this request, and have its answer tell what is left; whether it is within the allowance."""
        limit, span, now = settings.RATE_LIMIT, settings.RATE_SECONDS, int(time.time())
        self.seconds = span - now % span
        left = take((view.caller.subject, now + self.seconds, limit), span, now)
        view.allowance = {
            "RateLimit-Policy": f'"default";q={limit};w={span}',
            "RateLimit": f'"default";r={max(left, 0)};t={self.seconds}',
        }
        return left >= 0

    def wait(self) -> float:
        return float(self.seconds)


def take(whose: Whose, span: int, now: int) -> int:
    """Count a request; how many are left, less than none for one too many."""
    subject, _, limit = whose
    size = math.ceil(limit / BLOCKS)
    with turn:
        block = block_of(whose, now)
    with block.turn:  # who asks meanwhile waits for the same answer of the database; nobody else does
        if block.mine <= 0 < block.others:
            # Another limit, as while a deploy changes it, counts for itself.
            taken = used(f"request of {limit}", subject, seconds=span, times=size)
            block.mine = max(0, min(size, limit - (taken - size)))
            block.others = max(0, limit - taken)
        block.mine -= 1
        return block.mine + block.others


def block_of(whose: Whose, now: int) -> Block:
    """The block of somebody; those of spans that are over are forgotten when there are many."""
    if len(blocks) > MOST_KNOWN:
        for each in [each for each in blocks if each[1] <= now]:
            del blocks[each]
    return blocks.setdefault(whose, Block())
