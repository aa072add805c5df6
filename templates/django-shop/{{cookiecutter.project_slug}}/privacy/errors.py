"""What cannot be erased."""


class NotYetError(Exception):
    """Something is not finished, or somebody works here. The text says what has to happen first."""
