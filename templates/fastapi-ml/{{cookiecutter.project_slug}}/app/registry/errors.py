"""What can go wrong with models and their versions."""

from app.problems import Problem


class ModelNotFound(Problem):
    """There is no such model."""

    status = 404


class VersionNotFound(Problem):
    """The model has no such version."""

    status = 404


class FileNotThere(Problem):
    """There is no file of that digest."""

    status = 404


class WrongDigest(Problem):
    """The file is not what its name says."""

    status = 422


class AnotherCard(Problem):
    """This file is registered already, with another card."""

    status = 409


class Overtaken(Problem):
    """Somebody else was faster."""

    status = 409


class AlreadyPrimary(Problem):
    """The version is the primary one already."""

    status = 409


class NothingBefore(Problem):
    """There is nothing to roll back to."""

    status = 409
