"""What there is: products, and the movements that have changed how many there are."""

from datetime import datetime
from typing import ClassVar

from django.apps import apps
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Substr
from django.utils import timezone

from audit.models import AppendOnly

# As much of a name as fits into a cursor: names that begin with the same so many characters are sorted by their id.
SORTED = 64


class Products(models.QuerySet["Product"]):
    """Products, and how many of them can be had at a moment."""

    def at(self, moment: datetime | None = None) -> "Products":
        """With `overdue`: how many are counted as reserved, but have expired. From that instant they count no more."""
        held = apps.get_model("reservations", "Reservation").objects.filter(
            product=OuterRef("pk"), state="held", expires_at__lte=moment or timezone.now()
        )
        total = held.order_by().values("product").annotate(total=Sum("quantity")).values("total")
        return self.annotate(overdue=Coalesce(Subquery(total), 0, output_field=models.BigIntegerField()))


class Product(models.Model):
    """Something that is kept."""

    sku = models.CharField("SKU", max_length=40, unique=True)
    name = models.CharField(max_length=200)
    on_hand = models.BigIntegerField(default=0, editable=False)
    reserved = models.BigIntegerField(default=0, editable=False, help_text="With what is overdue and not yet released.")
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False, help_text="When its SKU or its name was changed.")

    objects = Products.as_manager()

    overdue: int  # as Products.at adds it

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0, on_hand__gte=F("reserved")), name="no_more_reserved_than_there_is"
            )
        ]
        indexes = [models.Index(Substr("name", 1, SORTED), "id", name="product_by_name")]

    def __str__(self) -> str:
        return self.sku


class Kind(models.TextChoices):
    """Why the number on hand has changed."""

    RECEIVE = "receive"
    ISSUE = "issue"
    CORRECT = "correct"


class Movement(AppendOnly):
    """A change of the number on hand."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="movements")
    reservation = models.OneToOneField("reservations.Reservation", models.PROTECT, null=True, related_name="movement")
    kind = models.CharField(max_length=10, choices=Kind)
    change = models.IntegerField()
    on_hand = models.BigIntegerField(help_text="After it.")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(change=0), name="something_moves")]
        indexes: ClassVar = [models.Index(fields=["product", "id"], name="movements_of_a_product")]

    def __str__(self) -> str:
        return f"{self.change:+}"
