"""What can go wrong while predictions are served."""

from app.problems import Problem


class TooBusy(Problem):
    """The model has more to do than it can."""

    status = 503


class TooLate(Problem):
    """The answer did not come in time."""

    status = 504


class NotServed(Problem):
    """The model is not served now."""

    status = 404


class UnsupportedEncoding(Problem):
    """The body is in an encoding that is not understood."""

    status = 415


class TooLong(Problem):
    """The body is too long."""

    status = 413
