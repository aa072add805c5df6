"""What is put aside, for whom, and until when."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from stock.models import Product


class State(models.TextChoices):
    """Held becomes one of the others, once."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reservation(models.Model):
    """So many of a product, for somebody. Past its time it is expired, whether its row says so yet or not."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="reservations")
    holder = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.HELD)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=1), name="something_is_put_aside")]
        indexes: ClassVar = [
            models.Index(fields=["product", "expires_at"], condition=Q(state="held"), name="held_by_product"),
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="held_by_time"),
            models.Index(fields=["holder", "id"], name="reservations_of_a_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"

    @property
    def state_now(self) -> str:
        """The state at this moment."""
        return State.EXPIRED if self.state == State.HELD and self.expires_at <= timezone.now() else self.state
