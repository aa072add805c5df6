"""What can go wrong with products and their stock."""

from app.problems import Problem


class SkuTaken(Problem):
    """Another product has this SKU."""

    status = 409


class ProductInUse(Problem):
    """The product has movements or reservations."""

    status = 409


class NotEnoughStock(Problem):
    """Less than that is available."""

    status = 409
