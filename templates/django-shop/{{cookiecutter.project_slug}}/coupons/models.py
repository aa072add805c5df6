"""Codes that lower what one pays, and where they were used."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from basket.models import Basket
from config.money import Money
from orders.models import Order, amount_field

PREFIX = "Coupon "


class Coupon(models.Model):
    """So much off, in percent or as an amount; for so many orders, and so many of one customer."""

    code = models.CharField(max_length=30, unique=True, validators=[RegexValidator(r"^[A-Z0-9-]+$", "A-Z, 0-9 and -.")])
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    amount = amount_field(null=True, blank=True, validators=[MinValueValidator(Decimal("0.001"))])
    from_value = amount_field(default=0, help_text="Of the things in the basket.", validators=[MinValueValidator(0)])
    begins = models.DateTimeField(default=timezone.now)
    ends = models.DateTimeField(null=True, blank=True)
    most = models.PositiveIntegerField("orders", null=True, blank=True, help_text="Empty: as many as come.")
    most_each = models.PositiveIntegerField("orders of one customer", null=True, blank=True, default=1)
    used = models.PositiveIntegerField(default=0, editable=False)
    live = models.BooleanField("can be used", default=True)

    class Meta:
        ordering = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(percent=None, amount__isnull=False, amount__gt=0)
                | Q(amount=None, percent__isnull=False, percent__gt=0),
                name="percent_or_amount",
                violation_error_message="Either percent or an amount.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.ends and self.ends <= self.begins:
            raise ValidationError({"ends": "After it begins."})

    def off(self, goods: Money) -> Money:
        """How much it takes off things of that value; never more than they cost (`orders.pricing`)."""
        return goods * (self.percent / 100) if self.percent else self.money

    def holds_for(self, goods: Money) -> bool:
        """Whether it can be used now, as far as one can know before somebody orders."""
        now = timezone.now()
        in_time = self.live and self.begins <= now and (self.ends is None or now < self.ends)
        return in_time and (self.most is None or self.used < self.most) and goods.amount >= self.from_value

    @property
    def title(self) -> str:
        """How an order calls it."""
        return f"{PREFIX}{self}"

    @property
    def money(self) -> Money:
        """Its amount."""
        return Money(self.amount or Decimal(0), settings.CURRENCY)

    @property
    def value(self) -> str:
        """What it is worth, to read."""
        return f"{self.percent.normalize():f} %" if self.percent else str(self.money)


class Chosen(models.Model):
    """The coupon that a customer has put to a basket."""

    basket = models.OneToOneField(Basket, models.CASCADE, primary_key=True, related_name="+")
    coupon = models.ForeignKey(Coupon, models.CASCADE)

    def __str__(self) -> str:
        return f"{self.coupon} for {self.basket}"


class Redemption(models.Model):
    """An order that was placed with a coupon. It is not held any more when the order is not paid, or cancelled."""

    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="redemptions")
    order = models.OneToOneField(Order, models.CASCADE, related_name="+")
    held = models.BooleanField("counts", default=True)

    def __str__(self) -> str:
        return f"{self.coupon} for order {self.order}"
