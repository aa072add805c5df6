"""What can go wrong with a model, and with what it is asked."""

from app.problems import Problem


class BadModel(Problem):
    """The model cannot be served."""

    status = 422


class BadInput(Problem):
    """The request does not fit the model."""

    status = 400


class NotANumber(Problem):
    """The model's answer is not a number."""

    status = 500


class ModelFailed(Problem):
    """The model failed on this request."""

    status = 500
