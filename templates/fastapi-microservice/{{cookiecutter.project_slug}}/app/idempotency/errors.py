"""What can go wrong with idempotency keys."""

from app.problems import Problem


class IdempotencyKeyMissing(Problem):
    """There is no Idempotency-Key."""


class IdempotencyKeyReused(Problem):
    """This key came with another request before."""

    status = 422


class RequestInProgress(Problem):
    """Another request with this key is being answered."""

    status = 409
