"""What can go wrong with people."""

from app.problems import Problem


class WrongNameOrPassword(Problem):
    """The name or the password is wrong."""

    status = 401


class TooManyAttempts(Problem):
    """Too many attempts to sign in."""

    status = 429


class CrossSiteRequest(Problem):
    """Another site may not do this in your name."""

    status = 403


class NameTaken(Problem):
    """Somebody has that name already."""

    status = 409


class UserNotFound(Problem):
    """There is nobody of that name."""

    status = 404
