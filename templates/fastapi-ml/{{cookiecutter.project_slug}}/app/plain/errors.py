"""What can go wrong with fields."""

from app.problems import Problem


class NotPlain(Problem):
    """The model takes tensors that are no fields."""

    status = 404
