"""Amounts of money: a decimal number and the currency that it is in, with one rule for rounding."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# How many digits a currency has behind the point, where it is not two (ISO 4217).
DIGITS = {"BHD": 3, "CLP": 0, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "UGX": 0, "VND": 0}
SIGNS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}


def digits(currency: str) -> int:
    """How many digits an amount has behind the point."""
    return DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount that can be paid: never more digits than its currency has, never mixed with another currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Round half away from zero, the one rule: as on a till, and as tax offices accept."""
        smallest = Decimal(1).scaleb(-digits(self.currency))
        object.__setattr__(self, "amount", self.amount.quantize(smallest, ROUND_HALF_UP))

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> "Money":
        """What a payment provider calls 1234: 12.34 euros, 1234 yen, 1.234 dinars."""
        return cls(Decimal(minor).scaleb(-digits(currency)), currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """All of them together; of none it is nothing."""
        return sum(amounts, start=cls(Decimal(0), currency))

    @property
    def minor(self) -> int:
        """The amount in the smallest unit of its currency."""
        return int(self.amount.scaleb(digits(self.currency)))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: int | Decimal) -> "Money":
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        number = f"{abs(self.amount):,}"
        sign = "−" if self.amount < 0 else ""
        return f"{sign}{SIGNS[self.currency]}{number}" if self.currency in SIGNS else f"{sign}{number} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} are not added up")
        return other.amount
