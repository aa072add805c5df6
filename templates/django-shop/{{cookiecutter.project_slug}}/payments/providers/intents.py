"""What a PaymentIntent says, as Stripe writes it down (docs.stripe.com/api/payment_intents/object)."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from stripe import SignatureVerificationError, WebhookSignature

from config.money import Money
from payments.errors import ForgedError, PaymentError
from payments.providers import Facts, Message

ABOUT_AN_INTENT = {
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
}
OLDEST = 300  # seconds: who has overheard a message cannot send it again later


def facts(intent: Mapping[str, Any], *, refunded: int = 0) -> Facts:
    """What an intent says. Raises PaymentError when it is none."""
    try:
        currency = intent["currency"].upper()
        received = int(intent.get("amount_received", intent["amount"] if intent["status"] == "succeeded" else 0))
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


def message(body: bytes, signature: str | None) -> Message:
    """An event (docs.stripe.com/api/events/object). Raises PaymentError when it is none, ForgedError as `read` does."""
    try:
        if signature is not None:
            WebhookSignature.verify_header(body, signature, settings.WEBHOOK_SECRET, OLDEST)
        event = json.loads(body)
        kind, identity, about = str(event["type"]), str(event["id"]), event["data"]["object"]
        return Message(identity, kind, facts(about) if kind in ABOUT_AN_INTENT else None)
    except SignatureVerificationError as error:
        raise ForgedError("The message is not signed with our secret, or it is too old.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PaymentError("This is no message as we know them.") from error


def sign(body: bytes) -> str:
    """The header of a message, as the fake provider needs it."""
    return str(WebhookSignature.generate_signature_header(body.decode(), settings.WEBHOOK_SECRET))
