"""What can go wrong with shared documents."""

from app.problems import Problem


class InvalidUpdate(Problem):
    """The update cannot be read."""

    status = 422


class DocumentFull(Problem):
    """The document is as long as one may be."""

    status = 409
