"""What is wrong with the settings of payments, for `check --deploy` and before `serve`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def needed(**_: Any) -> list[CheckMessage]:
    """What nobody can be paid without."""
    faults: list[CheckMessage] = []
    if settings.PAYMENT_PROVIDER == "fake":
        if settings.PRODUCTION:
            hint = "Nobody would pay. Set it to stripe."
            faults.append(Error("PAYMENT_PROVIDER is the fake one.", hint=hint, id="payments.E001"))
    elif not (settings.STRIPE_SECRET_KEY and settings.STRIPE_PUBLISHABLE_KEY):
        hint = "Stripe's dashboard has them, under Developers."
        faults.append(Error("STRIPE_SECRET_KEY or STRIPE_PUBLISHABLE_KEY is not set.", hint=hint, id="payments.E002"))
    if not settings.WEBHOOK_SECRET:
        hint = "Stripe's dashboard shows it, where you add /webhooks/stripe/."
        faults.append(Error("WEBHOOK_SECRET is not set.", hint=hint, id="payments.E003"))
    return faults
