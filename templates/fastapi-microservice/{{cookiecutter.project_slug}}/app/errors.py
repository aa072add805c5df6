"""What can go wrong with any request."""

from app.problems import Problem


class Malformed(Problem):
    """The body is not JSON."""


class NotFound(Problem):
    """Nothing is there."""

    status = 404


class NotAcceptable(Problem):
    """There is only JSON here."""

    status = 406


class PreconditionFailed(Problem):
    """It was changed since you read it."""

    status = 412


class ContentTooLarge(Problem):
    """The body is too long."""

    status = 413


class UnsupportedMediaType(Problem):
    """The body is not announced as JSON."""

    status = 415


class PreconditionRequired(Problem):
    """There is no If-Match."""

    status = 428


class Unavailable(Problem):
    """The server cannot do this now."""

    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})
