"""How often a caller may ask: counted where all processes see it, and told in every answer.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import logging
import time
from functools import cache
from typing import Any, NamedTuple

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.callers import Caller
from config.limits import hashed, used

logger = logging.getLogger(__name__)


class Left(NamedTuple):
    """What is left of an allowance, and for how many seconds that is so."""

    requests: int
    seconds: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"default";q={settings.RATE_LIMIT};w={settings.RATE_SECONDS}',
            "RateLimit": f'"default";r={max(self.requests, 0)};t={self.seconds}',
        }


class Allowance(BaseThrottle):
    """One for each caller, in spans of so many seconds."""

    left = Left(0, 0)

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this request; whether it is within the allowance."""
        caller: Caller | None = view.caller
        if caller is None:  # who is not known is refused anyway
            return True
        span = settings.RATE_SECONDS
        count = counted(caller.subject, span)
        self.left = Left(settings.RATE_LIMIT - count, span - int(time.time()) % span)
        request._request.allowance = self.left  # type: ignore[attr-defined]  # noqa: SLF001  so that the answer tells it
        return self.left.requests >= 0

    def wait(self) -> float:
        return float(self.left.seconds)


def counted(subject: str, span: int) -> int:
    """How often they have asked in this span, this time included."""
    if settings.VALKEY_URL:
        try:
            key = hashed(f"request {subject} {int(time.time()) // span}")
            with valkey().pipeline() as together:
                together.incr(key)
                together.expire(key, span)
                return int(together.execute()[0])
        except redis.RedisError as error:
            logger.warning("Valkey does not count, so the database does: %s", error)
    return used("request", subject, seconds=span)


@cache
def valkey() -> redis.Redis:
    return redis.from_url(
        settings.VALKEY_URL.replace("valkey", "redis", 1), socket_timeout=0.5, socket_connect_timeout=0.5
    )
