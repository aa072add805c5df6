"""Invoices and credit notes: numbered without a gap, and kept as they were written."""

import hashlib
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse

from orders.models import Order
from payments.models import Refund
from stock.models import AppendOnly


class Series(models.Model):
    """The last number of a year. Its row is what makes one who writes an invoice wait for another."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Papers(models.Manager["Invoice"]):
    """A list of invoices does not load what is written on them."""

    def get_queryset(self) -> models.QuerySet["Invoice"]:
        return super().get_queryset().defer("pdf")


class Invoice(AppendOnly):
    """What an order cost; or, with a refund, what of it went back. The PDF is in the row: one backup has both."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="invoices")
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, related_name="+")
    year = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    objects = Papers()

    class Meta:
        ordering = ["-year", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["year", "number"], name="one_invoice_per_number"),
            models.UniqueConstraint(fields=["order"], condition=Q(refund=None), name="one_invoice_per_order"),
        ]

    def __str__(self) -> str:
        return f"{self.year}-{self.number:05}"

    def get_absolute_url(self) -> str:
        return reverse("invoices:pdf", args=[self.order.token, self.year, self.number])

    @property
    def name(self) -> str:
        """What it is."""
        return f"{'Credit note' if self.refund_id else 'Invoice'} {self}"

    @property
    def intact(self) -> bool:
        """Whether it is as it was written."""
        return hashlib.sha256(self.pdf).hexdigest() == self.sha256
