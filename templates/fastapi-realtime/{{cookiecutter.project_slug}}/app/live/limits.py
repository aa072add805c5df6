"""How fast one peer may ask."""

import time


class TokenBucket:
    """Lets `burst` things pass at once, and `rate` more each second."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, time.monotonic()

    def take(self) -> float:
        """0 when the next thing may pass; else the seconds until it may."""
        moment = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (moment - self._at) * self._rate)
        self._at = moment
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0
