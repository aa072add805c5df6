"""What somebody is about to buy."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models import Variant
from config.money import Money

MOST = 99  # of one thing


def new_token() -> str:
    """What nobody guesses."""
    return secrets.token_urlsafe(24)


class Basket(models.Model):
    """One for each customer with an account, one for each session without."""

    token = models.CharField(max_length=40, unique=True, default=new_token)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return f"basket {self.pk}"


class Line(models.Model):
    """So many of one variant. Its price is the catalogue's; `price_seen` is what the customer was shown."""

    basket = models.ForeignKey(Basket, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, models.CASCADE)
    quantity = models.PositiveIntegerField()
    price_seen = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["basket", "variant"], name="one_line_per_variant"),
            models.CheckConstraint(condition=Q(quantity__gte=1, quantity__lte=MOST), name="some_but_not_too_many"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant}"

    @property
    def for_sale(self) -> bool:
        """Whether it can be bought at all."""
        return self.variant.live and self.variant.product.live

    @property
    def enough(self) -> bool:
        """Whether there are as many."""
        return self.for_sale and self.variant.level.available >= self.quantity

    @property
    def total(self) -> Money:
        """What they cost, at the catalogue's price."""
        return self.variant.money * self.quantity

    @property
    def was(self) -> Money | None:
        """What one cost when the customer saw it last, where it is another price now."""
        seen = Money(self.price_seen, settings.CURRENCY)
        return seen if seen != self.variant.money else None
