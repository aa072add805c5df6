"""What can go wrong with tokens."""

from app.problems import Problem


class Unauthorized(Problem):
    """There is no token that is good."""

    status = 401

    def __init__(self, detail: str, *, error: str | None = None) -> None:
        challenge = f'Bearer realm="stock", error="{error}"' if error else 'Bearer realm="stock"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The token is not for this."""

    status = 403

    def __init__(self, detail: str, *, scope: str) -> None:
        challenge = f'Bearer realm="stock", error="insufficient_scope", scope="{scope}"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})
