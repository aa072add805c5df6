"""What an order costs. Pure arithmetic: nothing is read, nothing is written.

Each line is rounded once, and everything else is a sum of lines: so what is shown adds up, and so does what is paid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from config.money import Money


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be priced: so many of one thing, at a price and a tax rate in percent."""

    quantity: int
    unit: Money
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """What an item costs: `gross` is paid, `tax` is the part of it that is tax."""

    item: Item
    gross: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Quote:
    """What all of it costs. `discount` is what is taken off the lines, tax and all."""

    lines: Sequence[Priced]
    shipping: Priced
    discount: Money
    tax_included: bool
    discount_name: str = ""

    @property
    def goods(self) -> Money:
        """The lines, with tax."""
        return Money.total((line.gross for line in self.lines), self.shipping.gross.currency)

    @property
    def tax(self) -> Money:
        """The tax of it all."""
        of_lines = Money.total((line.tax for line in self.lines), self.shipping.gross.currency)
        return of_lines + self.shipping.tax - self._tax_of_discount(of_lines)

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.goods + self.shipping.gross - self.discount

    def _tax_of_discount(self, of_lines: Money) -> Money:
        """A discount lowers the tax by the share that it is of the lines."""
        return of_lines * (self.discount.amount / self.goods.amount) if self.discount else self.discount


def priced(item: Item, *, tax_included: bool) -> Priced:
    """With tax in the price it is taken out of it; else it comes to it. Rounded once, for the whole line."""
    amount = item.unit * item.quantity
    if tax_included:
        without = Money(amount.amount / (1 + item.percent / 100), amount.currency)
        return Priced(item, amount, amount - without)
    tax = Money(amount.amount * item.percent / 100, amount.currency)
    return Priced(item, amount + tax, tax)


def quote(
    items: Iterable[Item],
    shipping: Item,
    *,
    tax_included: bool,
    discount: Money | None = None,
    discount_name: str = "",
) -> Quote:
    """Price it all. A discount is never more than the things cost."""
    lines = [priced(item, tax_included=tax_included) for item in items]
    nothing = Money(Decimal(0), shipping.unit.currency)
    goods = Money.total((line.gross for line in lines), shipping.unit.currency)
    taken = min(discount or nothing, goods)
    return Quote(lines, priced(shipping, tax_included=tax_included), taken, tax_included, discount_name)
