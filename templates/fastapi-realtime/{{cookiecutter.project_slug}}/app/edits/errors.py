"""What can go wrong with changing a message."""

from app.problems import Problem


class MessageNotFound(Problem):
    """There is no such message."""

    status = 404


class AuthorsOnly(Problem):
    """Only who wrote a message may do this."""

    status = 403
