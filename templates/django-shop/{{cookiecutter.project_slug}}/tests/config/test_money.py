"""Money: nothing is lost, nothing appears."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.money import Money

CURRENCIES = ["EUR", "JPY", "KWD", "USD"]


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"),
        ("1.004999", "EUR", "1.00"),
        ("0.5", "JPY", "1"),
        ("1.0005", "KWD", "1.001"),
    ],
)
def test_a_half_is_rounded_away_from_zero_to_what_the_currency_has(amount: str, currency: str, rounded: str) -> None:
    assert str(Money(Decimal(amount), currency).amount) == rounded


@given(some.integers(-(10**12), 10**12), some.sampled_from(CURRENCIES))
def test_what_a_provider_calls_it_and_back_is_the_same(minor: int, currency: str) -> None:
    assert Money.of_minor(minor, currency).minor == minor


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "EUR", "€1,234.50"),
        ("-3", "USD", "−$3.00"),
        ("1200", "JPY", "¥1,200"),
        ("1.5", "KWD", "1.500 KWD"),
        ("20", "CHF", "20.00 CHF"),
    ],
)
def test_it_is_shown_as_people_write_it(amount: str, currency: str, shown: str) -> None:
    assert str(Money(Decimal(amount), currency)) == shown


def test_two_currencies_are_not_added_up() -> None:
    euro, yen = Money(Decimal(1), "EUR"), Money(Decimal(1), "JPY")
    for together in (lambda: euro + yen, lambda: euro - yen, lambda: euro < yen):
        with pytest.raises(ValueError, match="EUR and JPY"):
            together()
