"""What there is: products, and the movements that have changed how many there are."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.models import AppendOnly, Happened

SKU = r"^[A-Z0-9][A-Z0-9._-]*$"
NAME = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"


class Overdue(models.Func):
    """How many of a product are counted as reserved, but have expired by a moment.

    In words of the database: Django takes longer to put them together than PostgreSQL to answer them. It is part of the
    query for the products, and has an index of its own, `held_by_product`.
    """

    template = """(SELECT COALESCE(SUM(quantity), 0) FROM reservations_reservation AS overdue
        WHERE overdue.state = 'held' AND overdue.product_id = %(expressions)s)"""
    arg_joiner = " AND overdue.expires_at <= "  # between the two that it is given: the product's id, and the moment
    output_field = models.BigIntegerField()


class Products(models.QuerySet["Product"]):
    """Products, and how many of them can be had now."""

    def now(self) -> "Products":
        """With `overdue`: what is counted as reserved, but has expired. From that instant it counts no more."""
        now = models.Value(timezone.now(), models.DateTimeField())
        return self.annotate(overdue=Overdue("pk", now))  # type: ignore[no-redef]


class Product(models.Model):
    """Something that is kept."""

    sku = models.CharField(
        "SKU",
        max_length=40,
        unique=True,
        validators=[RegexValidator(SKU, "Capital letters, digits, and . _ - within.")],
    )
    name = models.CharField(max_length=200, validators=[RegexValidator(NAME, "Visible characters.")])
    on_hand = models.BigIntegerField(default=0, editable=False)
    reserved = models.BigIntegerField(default=0, editable=False, help_text="With what is overdue and not yet released.")
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False, help_text="When its SKU or its name was changed.")

    overdue = 0  # as `Products.now` finds it

    objects = Products.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0, on_hand__gte=F("reserved")), name="no_more_reserved_than_there_is"
            )
        ]
        indexes = [models.Index(fields=["name", "id"], name="product_by_name")]

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

    objects = Happened.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(change=0), name="something_moves")]
        indexes: ClassVar = [models.Index(fields=["product", "id"], name="movements_of_a_product")]

    def __str__(self) -> str:
        return f"{self.change:+}"
