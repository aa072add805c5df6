"""Stripe, by PaymentIntents: the card's number goes from the browser to Stripe, and never through us."""

from collections.abc import Callable
from typing import Any

import stripe
from django.conf import settings

from config.money import Money
from payments.errors import RefusedError, UnreachableError
from payments.providers import Facts, Message, intents

FAILED = ("failed", "canceled")
PATIENCE = 8  # seconds: a thread that waits for Stripe serves nobody else


class StripeProvider:
    """Their library, with our names for what can go wrong."""

    name = "stripe"

    def __init__(self) -> None:
        elsewhere: Any = {"api": settings.STRIPE_API} if settings.STRIPE_API else None
        self._client: Any = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            max_network_retries=1,
            base_addresses=elsewhere,
            http_client=stripe.RequestsClient(timeout=PATIENCE),
        )

    def start(self, *, amount: Money, order: str, key: str) -> str:
        wanted = {
            "amount": amount.minor,
            "currency": amount.currency.lower(),
            "capture_method": settings.PAYMENT_CAPTURE,
            "metadata": {"order": order},
            **settings.STRIPE_INTENT,
        }
        made = ask(lambda: self._client.v1.payment_intents.create(wanted, {"idempotency_key": key}))
        return str(made["id"])

    def page(self, reference: str) -> tuple[str, dict[str, object]]:
        intent = ask(lambda: self._client.v1.payment_intents.retrieve(reference))
        about = {"publishable_key": settings.STRIPE_PUBLISHABLE_KEY, "client_secret": intent["client_secret"]}
        return "payments/stripe.html", about

    def look(self, reference: str) -> Facts:
        intent = ask(lambda: self._client.v1.payment_intents.retrieve(reference))
        back = self._refunds(reference) if intents.facts(intent).captured else []
        return intents.facts(intent, refunded=sum(each["amount"] for each in back if each["status"] not in FAILED))

    def capture(self, reference: str, *, amount: Money, key: str) -> Facts:
        wanted = {"amount_to_capture": amount.minor}
        return intents.facts(
            ask(lambda: self._client.v1.payment_intents.capture(reference, wanted, {"idempotency_key": key}))
        )

    def cancel(self, reference: str, *, key: str) -> Facts:
        return intents.facts(
            ask(lambda: self._client.v1.payment_intents.cancel(reference, {}, {"idempotency_key": key}))
        )

    def refund(self, reference: str, *, amount: Money, key: str) -> str:
        # Their keys are forgotten after a day, and what was lost may be asked for later than that.
        for made in self._refunds(reference):
            if (made.get("metadata") or {}).get("key") == key:
                return self._given(made)
        wanted = {"payment_intent": reference, "amount": amount.minor, "metadata": {"key": key}}
        return self._given(ask(lambda: self._client.v1.refunds.create(wanted, {"idempotency_key": key})))

    def read(self, body: bytes, signature: str | None) -> Message:
        return intents.message(body, signature)

    def _refunds(self, reference: str) -> list[dict[str, Any]]:
        found = ask(lambda: self._client.v1.refunds.list({"payment_intent": reference, "limit": 100}))
        refunds: list[dict[str, Any]] = found["data"]
        return refunds

    def _given(self, refund: dict[str, Any]) -> str:
        if refund["status"] in FAILED:
            raise RefusedError(f"Stripe could not give it back: {refund.get('failure_reason') or refund['status']}.")
        return str(refund["id"])


def ask(call: Callable[[], Any]) -> dict[str, Any]:
    """A plain dict, and their errors as ours: what was refused is refused again, of all else nobody knows."""
    try:
        answer: dict[str, Any] = call().to_dict()
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        raise RefusedError(error.user_message or str(error)) from error
    except stripe.StripeError as error:
        raise UnreachableError(f"Stripe: {error}") from error
    return answer
