"""How often a caller may ask: counted where all processes see it, and told in every answer.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

import logging
import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.limits import hashed, used

logger = logging.getLogger(__name__)


class Allowance(BaseThrottle):
    """One for each caller, in spans of so many seconds."""

    seconds = 0  # until the next one begins

    def allow_request(self, _request: Request, view: Any) -> bool:
        """Count this request, and have its answer tell what is left; whether it is within the allowance."""
        span = settings.RATE_SECONDS
        left = settings.RATE_LIMIT - counted(view.caller.subject, span)
        self.seconds = span - int(time.time()) % span
        view.allowance = {
            "RateLimit-Policy": f'"default";q={settings.RATE_LIMIT};w={span}',
            "RateLimit": f'"default";r={max(left, 0)};t={self.seconds}',
        }
        return left >= 0

    def wait(self) -> float:
        return float(self.seconds)


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
