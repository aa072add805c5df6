"""Money that comes and goes, and every message about it."""

import secrets
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.money import Money
from orders.models import Order, amount_field


class Status(models.TextChoices):
    """How far a payment is. It never goes back: a message that comes late says nothing new."""

    STARTED = "started", "started"
    CANCELLED = "cancelled", "cancelled"
    AUTHORISED = "authorised", "held on the card"
    CAPTURED = "captured", "received"


class Payment(models.Model):
    """What a customer pays for an order, at one provider."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=100)
    amount = amount_field()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.STARTED)
    captured = amount_field(default=0)
    refunded = amount_field(default=0)  # given back, or promised: see Refund
    settled = models.BooleanField(default=False)  # the order was paid with it; with another that came, too, it was not
    to_void = models.BooleanField(default=False)  # the provider is to be told that it is not wanted any more
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "reference"], name="one_payment_per_reference"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("captured"), captured__lte=F("amount")),
                name="no_more_back_than_came",
            ),
        ]
        permissions: ClassVar = [("capture_payment", "Can capture"), ("refund_payment", "Can give money back")]

    def __str__(self) -> str:
        return f"{self.provider} {self.reference}"

    @property
    def left(self) -> Money:
        """What can still be given back."""
        return Money(self.captured - self.refunded, self.currency)


class Refund(models.Model):
    """Money that goes back. It is promised in our database first; its key lets the provider do it once only."""

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending", "on its way"
        DONE = "done", "done"
        FAILED = "failed", "refused by the provider"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount = amount_field()
    reason = models.CharField(max_length=200)
    key = models.UUIDField("idempotency key", default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reference = models.CharField(max_length=100, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="something_goes_back")]

    def __str__(self) -> str:
        return f"{self.money} of {self.payment}"

    @property
    def currency(self) -> str:
        """Of what goes back."""
        return self.payment.currency

    @property
    def money(self) -> Money:
        """How much."""
        return Money(self.amount, self.currency)


class WebhookEvent(models.Model):
    """A message of a provider, as it came. It is stored before anything is made of it."""

    id = models.CharField(max_length=120, primary_key=True)  # "stripe:evt_…"
    kind = models.CharField(max_length=80)
    body = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-received_at"]
        indexes: ClassVar = [models.Index("received_at", condition=Q(processed_at=None), name="webhook_to_process")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def new_reference() -> str:
    """As long as Stripe's."""
    return f"pi_fake_{secrets.token_hex(8)}"


class FakeIntent(models.Model):
    """What the provider for development remembers. A real one keeps this on the other side of the network."""

    reference = models.CharField(max_length=40, primary_key=True, default=new_reference)
    key = models.CharField(max_length=80, unique=True)
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=30, default="requires_payment_method")
    failure = models.CharField(max_length=80, blank=True)  # why the last card was refused
    received = models.BigIntegerField(default=0)
    refunds = models.JSONField(default=dict)  # how much went back, by idempotency key

    def __str__(self) -> str:
        return self.reference

    @property
    def refunded(self) -> int:
        """How much went back."""
        return sum(self.refunds.values())

    def written(self) -> dict[str, Any]:
        """As Stripe writes it down."""
        known = {"id": self.reference, "amount": self.minor, "amount_received": self.received, "status": self.status}
        failure = {"message": self.failure} if self.failure else None
        return known | {"object": "payment_intent", "currency": self.currency.lower(), "last_payment_error": failure}
