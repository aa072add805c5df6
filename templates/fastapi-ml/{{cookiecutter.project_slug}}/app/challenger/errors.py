"""What can go wrong with challengers."""

from app.problems import Problem


class NoChallenger(Problem):
    """The model has no challenger."""

    status = 404
