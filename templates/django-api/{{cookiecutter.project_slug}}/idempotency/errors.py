"""What a key is refused for."""

from config.problems import Problem


class InProgress(Problem):
    """Another request with this key is being answered."""

    status = 409
    slug = "request-in-progress"
    title = "It is being done"


class KeyReused(Problem):
    """The key came with another request before."""

    status = 422
    slug = "idempotency-key-reused"
    title = "This key was for something else"
