"""What can go wrong on a socket."""

from app.problems import Problem


class TooManyRooms(Problem):
    """You follow too many rooms."""

    status = 429
