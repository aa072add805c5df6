"""What the stock refuses."""

from collections.abc import Mapping


class OutOfStockError(Exception):
    """There is not as much as is wanted: `lacking` has what there is, by the variant's id."""

    def __init__(self, lacking: Mapping[int, int]) -> None:
        super().__init__(f"There are only {', '.join(map(str, lacking.values())) or 0}.")
        self.lacking = lacking
