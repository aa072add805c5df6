"""A provider for development and tests. It talks, signs and remembers as Stripe does, and nobody pays anything."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config.money import Money
from payments.errors import PaymentError, RefusedError
from payments.models import FakeCall, FakeIntent
from payments.providers import Facts, Message, intents, signature

CARDS = {
    "works": "A card that works",
    "asks": "A card whose bank asks (3-D Secure)",
    "declined": "A card that is refused",
}
DECLINED = "Your card was declined."


class FakeProvider:
    """All of it in two tables of our own."""

    name = "fake"

    def __init__(self) -> None:
        if settings.PRODUCTION:
            raise PaymentError("The fake provider is not for production: set PAYMENT_PROVIDER.")

    def start(self, *, amount: Money, order: str, key: str) -> str:  # noqa: ARG002  nobody looks it up here
        def make() -> str:
            reference = f"pi_fake_{secrets.token_hex(8)}"
            capture = settings.PAYMENT_CAPTURE
            FakeIntent.objects.create(
                reference=reference, minor=amount.minor, currency=amount.currency, capture=capture
            )
            return reference

        return self._once(key, make)

    def page(self, reference: str) -> tuple[str, dict[str, object]]:
        where = reverse("payments:fake", args=[reference])
        return "payments/fake.html", {"cards": CARDS, "action": where}

    def look(self, reference: str) -> Facts:
        return self._facts(self._intent(reference))

    @transaction.atomic
    def capture(self, reference: str, *, amount: Money, key: str) -> Facts:  # noqa: ARG002  twice is once anyway
        intent = self._intent(reference)
        if intent.status == "requires_capture" and amount.minor <= intent.minor:
            self._set(intent, status="succeeded", received=amount.minor)
        elif intent.received != amount.minor:
            raise RefusedError(f"A payment that is {intent.status} cannot be captured.")
        return self._facts(intent)

    @transaction.atomic
    def cancel(self, reference: str, *, key: str) -> Facts:  # noqa: ARG002  twice is once anyway
        intent = self._intent(reference)
        if intent.status == "succeeded":
            raise RefusedError("It was paid already.")
        self._set(intent, status="canceled")
        return self._facts(intent)

    def refund(self, reference: str, *, amount: Money, key: str) -> str:
        def make() -> str:
            intent = self._intent(reference)
            if intent.refunded + amount.minor > intent.received:
                raise RefusedError("More than was paid cannot be given back.")
            self._set(intent, refunded=intent.refunded + amount.minor)
            return f"re_fake_{secrets.token_hex(8)}"

        return self._once(key, make)

    def read(self, body: bytes, signature_: str | None) -> Message:
        if signature_ is not None:
            signature.verify(body, signature_, settings.WEBHOOK_SECRET)
        return intents.message(body)

    @transaction.atomic
    def pay(self, reference: str, card: str) -> tuple[str, bytes | None]:
        """What the customer's browser and the bank would do: the new state, and the message about it."""
        intent = self._intent(reference)
        if intent.status not in ("requires_payment_method", "requires_action"):
            return intent.status, None
        if card == "asks":
            self._set(intent, status="requires_action")
            return intent.status, None
        if card != "works":
            self._set(intent, status="requires_payment_method")
            failure = {"last_payment_error": {"message": DECLINED}}
            return intent.status, self._message(intent, "payment_intent.payment_failed", failure)
        if intent.capture == "manual":
            self._set(intent, status="requires_capture")
            return intent.status, self._message(intent, "payment_intent.amount_capturable_updated")
        self._set(intent, status="succeeded", received=intent.minor)
        return intent.status, self._message(intent, "payment_intent.succeeded")

    def _intent(self, reference: str) -> FakeIntent:
        intent = FakeIntent.objects.select_for_update(of=("self",)).filter(pk=reference)
        with transaction.atomic():
            if (found := intent.first()) is None:
                raise RefusedError("There is no such payment.")
            return found

    def _set(self, intent: FakeIntent, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(intent, name, value)
        intent.save(update_fields=list(fields))

    @transaction.atomic
    def _once(self, key: str, make: Any) -> str:
        call, new = FakeCall.objects.get_or_create(pk=key)
        call = FakeCall.objects.select_for_update().get(pk=key)
        if new or not call.answer:
            call.answer = make()
            call.save()
        return call.answer

    def _written(self, intent: FakeIntent) -> dict[str, Any]:
        return {
            "id": intent.reference,
            "object": "payment_intent",
            "amount": intent.minor,
            "amount_received": intent.received,
            "currency": intent.currency.lower(),
            "status": intent.status,
        }

    def _facts(self, intent: FakeIntent) -> Facts:
        return intents.facts(self._written(intent), refunded=intent.refunded)

    def _message(self, intent: FakeIntent, kind: str, more: dict[str, Any] | None = None) -> bytes:
        about = self._written(intent) | (more or {})
        return json.dumps({"id": f"evt_fake_{secrets.token_hex(8)}", "type": kind, "data": {"object": about}}).encode()
