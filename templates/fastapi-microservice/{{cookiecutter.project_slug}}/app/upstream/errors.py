"""What can go wrong with a supplier."""

from app.problems import Problem


class SupplierUnavailable(Problem):
    """The supplier does not answer."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Ask again in a moment.", headers={"Retry-After": "5"})
