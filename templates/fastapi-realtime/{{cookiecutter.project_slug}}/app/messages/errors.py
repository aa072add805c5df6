"""What can go wrong with messages."""

from app.problems import Problem


class ClientIdReused(Problem):
    """This client id belongs to something else that you said."""

    status = 409


class MessageNotFound(Problem):
    """There is no such message."""

    status = 404


class AuthorsOnly(Problem):
    """Only who wrote a message may do this."""

    status = 403
