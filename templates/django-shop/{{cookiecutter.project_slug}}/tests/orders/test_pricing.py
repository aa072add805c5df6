"""What an order costs: it adds up, whatever is in the basket."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.money import Money
from orders.pricing import Item, Quote, quote

CURRENCY = some.sampled_from(["EUR", "JPY", "KWD"])
PERCENT = some.decimals(0, 30, places=1)


@some.composite
def quotes(draw: some.DrawFn) -> Quote:
    currency, included = draw(CURRENCY), draw(some.booleans())
    price = some.decimals(0, 10_000, places=3).map(lambda amount: Money(amount, currency))
    items = draw(some.lists(some.builds(Item, some.integers(1, 99), price, PERCENT), min_size=1, max_size=8))
    shipping = Item(1, draw(price), draw(PERCENT))
    return quote(items, shipping, tax_included=included, discount=draw(some.none() | price))


@given(quotes())
def test_it_adds_up(quote: Quote) -> None:
    currency = quote.total.currency
    lines = Money.total((line.gross for line in quote.lines), currency)
    assert quote.total == lines + quote.shipping.gross - quote.discount
    nothing = Money(Decimal(0), currency)
    assert nothing <= quote.discount <= lines
    assert nothing <= quote.tax <= quote.total
    for line in [*quote.lines, quote.shipping]:
        assert nothing <= line.tax
        asked = line.item.unit * line.item.quantity
        assert (line.gross if quote.tax_included else line.gross - line.tax) == asked, (
            "what was shown is what is asked for"
        )


@given(quotes())
def test_the_tax_is_right_to_half_of_the_smallest_coin(quote: Quote) -> None:
    for line in [*quote.lines, quote.shipping]:
        asked, share = (line.item.unit * line.item.quantity).amount, line.item.percent / 100
        exact = asked - asked / (1 + share) if quote.tax_included else asked * share
        half = Money.of_minor(1, quote.total.currency).amount / 2
        assert abs(line.tax.amount - exact) <= half + Decimal("1e-20")


@pytest.mark.parametrize(("included", "total", "tax"), [(True, "34.90", "5.57"), (False, "41.53", "6.63")])
def test_tax_is_in_the_price_or_comes_to_it(included: bool, total: str, tax: str) -> None:
    percent = Decimal(19)
    items = [Item(3, Money(Decimal("10.00"), "EUR"), percent)]
    found = quote(items, Item(1, Money(Decimal("4.90"), "EUR"), percent), tax_included=included)
    assert (str(found.total.amount), str(found.tax.amount)) == (total, tax)
