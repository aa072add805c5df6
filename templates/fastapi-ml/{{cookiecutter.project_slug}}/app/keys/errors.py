"""What can go wrong with keys."""

from app.problems import Problem


class NotSignedIn(Problem):
    """You are not signed in."""

    status = 401

    def __init__(self, detail: str = "Send a key: Authorization: Bearer …") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class NotForThis(Problem):
    """The key is not for this."""

    status = 403


class KeyNotFound(Problem):
    """There is no such key."""

    status = 404
