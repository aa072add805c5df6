"""A provider for development and tests. It talks, signs and remembers as Stripe does, and nobody pays anything."""

import json
import secrets

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config.money import Money
from payments.errors import PaymentError, RefusedError
from payments.models import FakeIntent
from payments.providers import Facts, Message, intents

CARDS = {"works": "A card that works", "asks": "A card whose bank asks", "declined": "A card that is refused"}


class FakeProvider:
    """All of it in a table of our own."""

    name = "fake"

    def __init__(self) -> None:
        if settings.PRODUCTION:
            raise PaymentError("The fake provider is not for production: set PAYMENT_PROVIDER.")

    def start(self, *, amount: Money, order: str, key: str) -> str:  # noqa: ARG002  nobody looks it up here
        about = {"minor": amount.minor, "currency": amount.currency}
        intent, _ = FakeIntent.objects.get_or_create(key=key, defaults=about)
        return intent.pk

    def page(self, reference: str) -> tuple[str, dict[str, object]]:
        return "payments/fake.html", {"cards": CARDS, "action": reverse("payments:fake", args=[reference])}

    @transaction.atomic
    def look(self, reference: str) -> Facts:
        return facts(locked(reference))

    @transaction.atomic
    def capture(self, reference: str, *, amount: Money, key: str) -> Facts:  # noqa: ARG002  twice is once anyway
        intent = locked(reference)
        if intent.status == "requires_capture" and amount.minor <= intent.minor:
            intent.status, intent.received = "succeeded", amount.minor
            intent.save()
        elif intent.received != amount.minor:
            raise RefusedError(f"A payment that is {intent.status} cannot be captured.")
        return facts(intent)

    @transaction.atomic
    def cancel(self, reference: str, *, key: str) -> Facts:  # noqa: ARG002  twice is once anyway
        intent = locked(reference)
        if intent.status == "succeeded":
            raise RefusedError("It was paid already.")
        intent.status = "canceled"
        intent.save()
        return facts(intent)

    @transaction.atomic
    def refund(self, reference: str, *, amount: Money, key: str) -> str:
        intent = locked(reference)
        if key not in intent.refunds:
            if intent.refunded + amount.minor > intent.received:
                raise RefusedError("More than was paid cannot be given back.")
            intent.refunds[key] = amount.minor
            intent.save()
        return f"re_fake_{key}"

    def read(self, body: bytes, signature: str | None) -> Message:
        return intents.message(body, signature)

    @transaction.atomic
    def pay(self, reference: str, card: str) -> tuple[str, bytes | None]:
        """What the customer's browser and the bank would do: the new state, and the message about it."""
        intent = locked(reference)
        if intent.status not in ("requires_payment_method", "requires_action"):
            return intent.status, None
        held = settings.PAYMENT_CAPTURE == "manual"
        sure = ("requires_capture", "amount_capturable_updated") if held else ("succeeded", "succeeded")
        become = {"works": sure, "asks": ("requires_action", "")}
        intent.status, kind = become.get(card, ("requires_payment_method", "payment_failed"))
        intent.failure = "Your card was declined." if kind == "payment_failed" else ""
        intent.received = intent.minor if intent.status == "succeeded" else 0
        intent.save()
        return intent.status, told(intent, f"payment_intent.{kind}") if kind else None


def locked(reference: str) -> FakeIntent:
    """A payment, until the transaction ends for nobody else."""
    if (found := FakeIntent.objects.select_for_update().filter(pk=reference).first()) is None:
        raise RefusedError("There is no such payment.")
    return found


def facts(intent: FakeIntent) -> Facts:
    return intents.facts(intent.written(), refunded=intent.refunded)


def told(intent: FakeIntent, kind: str) -> bytes:
    """The message about it."""
    about = {"object": intent.written()}
    return json.dumps({"id": f"evt_fake_{secrets.token_hex(8)}", "type": kind, "data": about}).encode()
