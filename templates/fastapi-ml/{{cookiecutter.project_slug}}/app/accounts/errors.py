"""What can go wrong with people."""

from app.problems import Problem


class NotSignedIn(Problem):
    """You are not signed in."""

    status = 401

    def __init__(self, detail: str = "Sign in, or send a key: Authorization: Bearer …") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class WrongNameOrPassword(Problem):
    """The name or the password is wrong."""

    status = 401


class TooManyAttempts(Problem):
    """Too many attempts to sign in."""

    status = 429


class NameTaken(Problem):
    """Somebody has that name already."""

    status = 409


class UserNotFound(Problem):
    """There is nobody of that name."""

    status = 404
