"""What can go wrong with keys."""

from app.problems import Problem


class NotForThis(Problem):
    """The key is not for this."""

    status = 403


class TooManyRequests(Problem):
    """The key has asked as often as it may."""

    status = 429


class KeyNotFound(Problem):
    """There is no such key."""

    status = 404
