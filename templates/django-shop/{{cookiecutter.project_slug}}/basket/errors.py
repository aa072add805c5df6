"""What a basket refuses."""


class QuantityError(ValueError):
    """So many of one thing nobody can want: the text says how many."""
