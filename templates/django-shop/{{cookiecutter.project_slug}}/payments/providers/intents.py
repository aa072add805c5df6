"""What a PaymentIntent says, as Stripe writes it down (docs.stripe.com/api/payment_intents/object)."""

import json
from collections.abc import Mapping
from typing import Any

from config.money import Money
from payments.errors import PaymentError
from payments.providers import Facts, Message

ABOUT_AN_INTENT = {
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
}


def facts(intent: Mapping[str, Any], *, refunded: int = 0) -> Facts:
    """What an intent says. Raises PaymentError when it is none."""
    try:
        currency = intent["currency"].upper()
        received = int(intent.get("amount_received") or 0)
        held = intent["amount"] if intent["status"] in ("requires_capture", "succeeded") else 0
        failure = (intent.get("last_payment_error") or {}).get("message", "")
        waits_again = intent["status"] == "requires_payment_method"
        return Facts(
            reference=intent["id"],
            authorised=Money.of_minor(max(held, received), currency),
            captured=Money.of_minor(received, currency),
            refunded=Money.of_minor(refunded, currency),
            cancelled=intent["status"] == "canceled",
            declined=(failure or "The card was refused.") if waits_again and failure else "",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PaymentError("This is no payment as we know them.") from error


def message(body: bytes) -> Message:
    """An event (docs.stripe.com/api/events/object). Raises PaymentError when it is none."""
    try:
        event = json.loads(body)
        kind, identity, about = str(event["type"]), str(event["id"]), event["data"]["object"]
        return Message(identity, kind, facts(about) if kind in ABOUT_AN_INTENT else None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PaymentError("This is no message as we know them.") from error
