"""Stripe, by PaymentIntents: the card's number goes from the browser to Stripe, and never through us."""

from collections.abc import Callable
from typing import Any

import stripe
from django.conf import settings

from config.money import Money
from payments.errors import RefusedError, UnreachableError
from payments.providers import Facts, Message, intents, signature


class StripeProvider:
    """Their library, with our names for what can go wrong."""

    name = "stripe"

    def __init__(self) -> None:
        elsewhere: Any = {"api": settings.STRIPE_API} if settings.STRIPE_API else None
        self._client: Any = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY, max_network_retries=2, base_addresses=elsewhere
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
        refunds = ask(lambda: self._client.v1.refunds.list({"payment_intent": reference, "limit": 100}))
        back = sum(each["amount"] for each in refunds["data"] if each["status"] not in ("failed", "canceled"))
        return intents.facts(intent, refunded=back)

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
        wanted = {"payment_intent": reference, "amount": amount.minor}
        return str(ask(lambda: self._client.v1.refunds.create(wanted, {"idempotency_key": key}))["id"])

    def read(self, body: bytes, signature_: str | None) -> Message:
        if signature_ is not None:
            signature.verify(body, signature_, settings.WEBHOOK_SECRET)
        return intents.message(body)


def ask(call: Callable[[], Any]) -> Any:
    """Their errors as ours: what was refused is refused again, of all else nobody knows."""
    try:
        return call()
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        raise RefusedError(error.user_message or str(error)) from error
    except stripe.StripeError as error:
        raise UnreachableError(f"Stripe: {error}") from error
