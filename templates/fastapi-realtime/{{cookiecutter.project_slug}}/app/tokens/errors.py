"""What can go wrong with tokens."""

from app.problems import Problem


class BrowserOnly(Problem):
    """This is for people, not for programs."""

    status = 403


class TokenNotFound(Problem):
    """There is no such token."""

    status = 404
