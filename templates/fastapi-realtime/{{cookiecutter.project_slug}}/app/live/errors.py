"""What can go wrong on a socket or a stream."""

from app.problems import Problem


class TooManyRooms(Problem):
    """You follow too many rooms."""

    status = 429


class TooManyConnections(Problem):
    """You are connected too often."""

    status = 429


class TooFast(Problem):
    """You send too fast."""

    status = 429
