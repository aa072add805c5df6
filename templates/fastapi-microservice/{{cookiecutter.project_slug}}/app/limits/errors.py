"""What can go wrong with limits."""

from app.problems import Problem


class TooManyRequests(Problem):
    """That was asked too often."""

    status = 429
