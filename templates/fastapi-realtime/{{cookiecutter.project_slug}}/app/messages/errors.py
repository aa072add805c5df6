"""What can go wrong with messages."""

from app.problems import Problem


class ClientIdReused(Problem):
    """This client id belongs to something else that you said."""

    status = 409
