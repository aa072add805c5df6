"""How Stripe signs its messages (docs.stripe.com/webhooks, "Verify manually"), which the fake provider does too."""

import hashlib
import hmac
import time

from payments.errors import ForgedError

OLDEST = 300  # seconds: who has overheard one cannot send it again later


def sign(body: bytes, secret: str, *, at: float | None = None) -> str:
    """The header of a message: when it was signed, and by whom."""
    when = int(time.time() if at is None else at)
    return f"t={when},v1={digest(body, secret, when)}"


def verify(body: bytes, header: str, secret: str) -> None:
    """Raises ForgedError unless one of the signatures is of the secret, and not older than five minutes."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    when = next((value for name, value in parts if name == "t"), "")
    if not when.isdecimal() or abs(time.time() - int(when[:12])) > OLDEST:
        raise ForgedError("The message has no time, or is too old.")
    wanted = digest(body, secret, int(when[:12]))
    # All of them: while a secret is exchanged there are two.
    if not secret or not any(
        hmac.compare_digest(value.encode(), wanted.encode()) for name, value in parts if name == "v1"
    ):
        raise ForgedError("The message is not signed with our secret.")


def digest(body: bytes, secret: str, when: int) -> str:
    return hmac.new(secret.encode(), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
