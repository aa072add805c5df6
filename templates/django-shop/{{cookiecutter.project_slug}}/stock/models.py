"""What there is: a ledger of movements, and their sum."""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalogue.models import Variant


class Level(models.Model):
    """How many of a variant can be sold now: always the sum of its movements."""

    variant = models.OneToOneField(Variant, models.CASCADE, primary_key=True, related_name="level")
    available = models.PositiveIntegerField(default=0, editable=False)
    low = models.PositiveIntegerField("low from", default=3, help_text="Where somebody should order anew.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(available__gte=0), name="never_less_than_nothing")]
        verbose_name = "stock"
        verbose_name_plural = "stock"
        permissions: ClassVar = [("correct_level", "Can correct")]

    def __str__(self) -> str:
        return f"{self.variant}: {self.available}"


class Reason(models.TextChoices):
    """Why a stock has changed."""

    RECEIVED = "received", "received from the supplier"
    COUNTED = "counted", "counted, and it was another number"
    DAMAGED = "damaged", "damaged or lost"
    SOLD = "sold", "taken for an order"
    RELEASED = "released", "not paid for, or cancelled"
    RETURNED = "returned", "sent back by a customer"


class AppendOnly(models.Model):
    """What has happened: rows that nothing changes or deletes."""

    class Meta:
        abstract = True

    def save(self, **how: Any) -> None:
        if self.pk:
            self.delete()
        super().save(**how)

    def delete(self, *_args: Any, **_how: Any) -> NoReturn:
        raise TypeError("What has happened is not changed.")


class Movement(AppendOnly):
    """A change of a stock."""

    variant = models.ForeignKey(Variant, models.PROTECT, related_name="movements")
    delta = models.IntegerField("change")
    reason = models.CharField(max_length=10, choices=Reason)
    reference = models.CharField(max_length=40, blank=True, help_text="The number of an order, or of a delivery note.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(delta=0), name="something_moves")]

    def __str__(self) -> str:
        return f"{self.delta:+} {self.variant} ({self.get_reason_display()})"
