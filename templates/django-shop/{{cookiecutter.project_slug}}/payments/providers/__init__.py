"""Who receives the money: what the shop asks of a provider, and which one it has."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from config.money import Money


@dataclass(frozen=True, slots=True)
class Facts:
    """What a provider says of a payment. Amounts only grow, so the order of messages does not matter."""

    reference: str
    authorised: Money
    captured: Money
    refunded: Money
    cancelled: bool = False
    declined: str = ""  # why a card was refused; the customer can try another one


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a provider tells by itself."""

    id: str
    kind: str
    facts: Facts | None  # None: about something that is not ours to know


class PaymentProvider(Protocol):
    """What every provider can do. A `key` makes that a call that is repeated happens once.

    Each may raise RefusedError (no, and again no) or UnreachableError (nobody knows: repeat it with the same key).
    """

    name: str

    def start(self, *, amount: Money, order: str, key: str) -> str:
        """Begin a payment; its reference."""

    def page(self, reference: str) -> tuple[str, dict[str, object]]:
        """The template on which the customer pays, and what it needs."""

    def look(self, reference: str) -> Facts:
        """How it stands."""

    def capture(self, reference: str, *, amount: Money, key: str) -> Facts:
        """Receive what was held on the card."""

    def cancel(self, reference: str, *, key: str) -> Facts:
        """It is not wanted any more. What is held on the card is let go."""

    def refund(self, reference: str, *, amount: Money, key: str) -> str:
        """Give so much back; the reference of that."""

    def read(self, body: bytes, signature: str | None) -> Message:
        """A message of theirs. Raises ForgedError unless they have signed it, lately; None: it was checked before."""


PROVIDERS = {"fake": "payments.providers.fake.FakeProvider", "stripe": "payments.providers.stripe.StripeProvider"}


@cache
def provider(name: str = "") -> PaymentProvider:
    """The one that the settings name, or the one that a payment was begun with."""
    made: PaymentProvider = import_string(PROVIDERS[name or settings.PAYMENT_PROVIDER])()
    return made
