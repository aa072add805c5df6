"""Orders as they were placed: every price, tax, text and address of that moment, and what happened since."""

import secrets
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.urls import reverse

from basket.models import Basket
from catalogue.models import TaxClass, Variant
from config.money import Money
from orders.states import Status
from stock.models import AppendOnly

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that one takes for another on the telephone


def new_number() -> str:
    """A number for people: it says nothing of how many orders there are."""
    return "".join(secrets.choice(LETTERS) for _ in range(8))


def new_token() -> str:
    """Who has it may see the order, as one does who ordered without an account."""
    return secrets.token_urlsafe(24)


def amount_field(**more: Any) -> "models.DecimalField[Any, Any]":
    """A column for an amount; its currency is the order's."""
    return models.DecimalField(max_digits=14, decimal_places=3, **more)


def exact(sum_of_amounts: Any) -> Round:
    """A sum that the database makes, without the tail of a binary fraction: SQLite has no decimal numbers."""
    return Round(sum_of_amounts, precision=3, output_field=models.DecimalField(max_digits=14, decimal_places=3))


def rate_field(**more: Any) -> "models.DecimalField[Any, Any]":
    """A column for a tax rate in percent."""
    return models.DecimalField(
        "rate in %", max_digits=6, decimal_places=3, validators=[MinValueValidator(0), MaxValueValidator(100)], **more
    )


class TaxRate(models.Model):
    """What a country takes of a class of things, in percent. Where there is none, nothing is taken."""

    country = models.CharField(max_length=2, choices=settings.COUNTRIES)
    tax_class = models.CharField(max_length=10, choices=TaxClass)
    percent = rate_field()

    class Meta:
        ordering = ["country", "tax_class"]
        constraints = [models.UniqueConstraint(fields=["country", "tax_class"], name="one_rate_per_class")]

    def __str__(self) -> str:
        return f"{self.country}, {self.get_tax_class_display()}: {self.percent.normalize():f} %"


class ShippingMethod(models.Model):
    """A way to a country, and what it costs."""

    name = models.CharField(max_length=80)
    countries = models.CharField(
        max_length=300,
        validators=[RegexValidator(r"^[A-Z]{2}( [A-Z]{2})*$", "Two letters each, with a space between: DE AT")],
        help_text="As two letters each, with a space between: DE AT.",
    )
    price = amount_field(validators=[MinValueValidator(0)])
    free_from = amount_field(null=True, blank=True, help_text="From this value of the things it costs nothing.")
    tax_class = models.CharField(max_length=10, choices=TaxClass, default=TaxClass.STANDARD)
    position = models.PositiveIntegerField(default=0)
    live = models.BooleanField("offered", default=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def costs(self, subtotal: Money) -> Money:
        """What it costs for things of that value."""
        free = self.free_from is not None and subtotal.amount >= self.free_from
        return Money(0 * self.price if free else self.price, subtotal.currency)


class Order(models.Model):
    """What somebody has ordered. Amounts are what is paid, taxes in them; `tax` is how much of it is tax."""

    number = models.CharField(max_length=8, unique=True, default=new_number, editable=False)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders")
    email = models.EmailField()
    basket = models.ForeignKey(Basket, models.SET_NULL, null=True, blank=True, related_name="orders", editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING, editable=False)
    currency = models.CharField(max_length=3)
    tax_included = models.BooleanField()  # in the prices of the lines; else it was added to them
    goods = amount_field()
    shipping_name = models.CharField(max_length=80)
    shipping = amount_field()
    discount = amount_field(default=0)
    discount_name = models.CharField(max_length=80, blank=True)
    tax = amount_field()
    total = amount_field()
    address = models.JSONField()
    tracking = models.CharField(max_length=80, blank=True)
    placed_at = models.DateTimeField(auto_now_add=True)
    reserved_until = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index("reserved_until", condition=Q(status="pending"), name="order_to_expire"),
            models.Index("status", F("id").desc(), name="order_by_status"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(total=exact(F("goods") + F("shipping") - F("discount")), total__gte=0, tax__lte=F("total")),
                name="order_adds_up",
            )
        ]
        permissions: ClassVar = [
            ("ship_order", "Can ship"),
            ("cancel_order", "Can cancel"),
            ("return_order", "Can take back"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:order", args=[self.token])

    def money(self, amount: Any) -> Money:
        """An amount of this order."""
        return Money(amount, self.currency)

    @property
    def to_pay(self) -> Money:
        """What the customer pays."""
        return self.money(self.total)

    @property
    def address_lines(self) -> list[str]:
        """As one writes it on a parcel."""
        a = self.address
        country = dict(settings.COUNTRIES).get(a["country"], a["country"])
        return [part for part in (a["name"], a["street"], f"{a['postcode']} {a['city']}", country) if part.strip()]


class OrderLine(models.Model):
    """So many of something, as it was called and what it cost when it was ordered."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, models.SET_NULL, null=True)
    sku = models.CharField(max_length=40)
    name = models.CharField(max_length=210)
    quantity = models.PositiveIntegerField()
    unit_price = amount_field()
    tax_rate = rate_field()
    tax = amount_field()
    total = amount_field()
    returned = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1, tax__lte=F("total")), name="line_adds_up"),
            models.CheckConstraint(condition=Q(returned__lte=F("quantity")), name="no_more_back_than_out"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def currency(self) -> str:
        """Of its amounts."""
        return self.order.currency

    @property
    def gross(self) -> Money:
        """What they cost, with tax."""
        return self.order.money(self.total)


class Kind(models.TextChoices):
    """What can happen to an order."""

    PLACED = "placed", "ordered"
    PAID = "paid", "paid"
    SHIPPED = "shipped", "shipped"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "not paid in time"
    RETURNED = "returned", "sent back"
    REFUNDED = "refunded", "money given back"
    DECLINED = "declined", "payment declined"
    ATTENTION = "attention", "somebody must look at it"


# Of these the customer hears by mail; the others are for those who work in the shop.
TOLD = frozenset(Kind) - {Kind.DECLINED, Kind.ATTENTION}


class OrderEvent(AppendOnly):
    """Something that happened to an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.order}: {self.get_kind_display()}"


class Mail(models.Model):
    """One for each event of which the customer hears. It is written in the event's transaction, and sent afterwards."""

    event = models.OneToOneField(OrderEvent, models.CASCADE, primary_key=True)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True)
    sent_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)  # somebody is sending it; after that, somebody else may
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index("claimed_until", condition=Q(sent_at=None), name="mail_to_send")]

    def __str__(self) -> str:
        return f"mail: {self.event}"


def by_name(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Countries in the order in which one looks for them."""
    return sorted(choices, key=lambda each: each[1])
