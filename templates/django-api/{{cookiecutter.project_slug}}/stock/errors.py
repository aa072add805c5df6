"""What the stock refuses."""

from config.problems import Problem


class SkuTaken(Problem):
    """Another product has this SKU."""

    status = 409
    slug = "sku-taken"
    title = "The SKU is taken"


class ProductInUse(Problem):
    """The product has movements or reservations."""

    status = 409
    slug = "product-in-use"
    title = "The product has a past"


class NotEnough(Problem):
    """Less than that is available."""

    status = 409
    slug = "not-enough-stock"
    title = "There is not enough"


class PreconditionFailed(Problem):
    """The product is not any more what the caller has seen."""

    status = 412
    slug = "precondition-failed"
    title = "It has changed meanwhile"
