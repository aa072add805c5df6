"""What the shop has: categories, products, the variants that one buys, and pictures."""

import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Min, Q
from django.urls import reverse

from catalogue import images
from config.money import Money

DEEPEST = 4


class TaxClass(models.TextChoices):
    """What a thing is to the tax office; the rates are the countries' (`orders.TaxRate`)."""

    STANDARD = "standard", "standard"
    REDUCED = "reduced", "reduced (books, food)"
    ZERO = "zero", "none"


class Category(models.Model):
    """A shelf. What is on the shelves below it is found on it too."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=400, unique=True, editable=False)  # "outdoor/tents/"
    position = models.PositiveIntegerField(default=0, help_text="The smallest is the first.")

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def save(self, **how: Any) -> None:
        """Those below move along."""
        before, self.path = self.path, self._path()
        with transaction.atomic():
            super().save(**how)
            if before and before != self.path:
                for below in Category.objects.filter(path__startswith=before).exclude(pk=self.pk):
                    Category.objects.filter(pk=below.pk).update(path=self.path + below.path.removeprefix(before))

    def get_absolute_url(self) -> str:
        return reverse("catalogue:category", args=[self.path.rstrip("/")])

    def clean(self) -> None:
        above, depth = self.parent, 1
        while above and depth <= DEEPEST:
            if above == self:
                raise ValidationError({"parent": "A category cannot be below itself."})
            above, depth = above.parent, depth + 1
        if depth > DEEPEST:
            raise ValidationError({"parent": f"No deeper than {DEEPEST}: nobody would find it."})
        if Category.objects.filter(path=self._path()).exclude(pk=self.pk).exists():
            raise ValidationError({"slug": "There is such a category here already."})

    def _path(self) -> str:
        return f"{self.parent.path if self.parent else ''}{self.slug}/"

    def way(self) -> models.QuerySet["Category"]:
        """The categories above it, and it, from the top; one query."""
        parts = self.path.split("/")[:-1]
        above = ["/".join(parts[: n + 1]) + "/" for n in range(len(parts))]
        return Category.objects.filter(path__in=above).order_by("path")


class Shown(models.QuerySet["Product"]):
    """Products, for those who buy."""

    def shown(self) -> "Shown":
        """Those that are for sale: live, with a variant that is."""
        return self.filter(live=True, lowest_price__isnull=False)


class Product(models.Model):
    """What has a page of its own."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True)
    description = models.TextField(blank=True, max_length=5000)
    category = models.ForeignKey(Category, models.PROTECT, related_name="products")
    tax_class = models.CharField(max_length=10, choices=TaxClass, default=TaxClass.STANDARD)
    live = models.BooleanField("for sale", default=True)
    # Of its variants: a list is sorted and filtered by it, and must not ask each of them.
    lowest_price = models.DecimalField(max_digits=14, decimal_places=3, null=True, editable=False)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = Shown.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index("category", "lowest_price", "id", condition=Q(live=True), name="product_by_price"),
            models.Index("lowest_price", "id", condition=Q(live=True), name="product_price_all"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalogue:product", args=[self.slug])

    @property
    def price_from(self) -> Money:
        """The price of its cheapest variant."""
        return Money(self.lowest_price or Decimal(0), settings.CURRENCY)


class Variant(models.Model):
    """What one buys: this size, that colour."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="variants")
    sku = models.CharField("SKU", max_length=40, unique=True)
    label = models.CharField(max_length=80, blank=True, help_text="What sets it apart: “blue, M”.")
    price = models.DecimalField(max_digits=14, decimal_places=3, validators=[MinValueValidator(0)])
    position = models.PositiveIntegerField(default=0)
    live = models.BooleanField("for sale", default=True, help_text="What was sold once is not deleted, but not sold.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "label"], name="one_variant_per_label"),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.product.name}, {self.label}" if self.label else self.product.name

    def clean(self) -> None:
        if self.price is not None and Money(self.price, settings.CURRENCY).amount != self.price:
            raise ValidationError({"price": f"{settings.CURRENCY} has no such amount: too many digits."})

    @property
    def money(self) -> Money:
        """What one costs."""
        return Money(self.price, settings.CURRENCY)


def new_name() -> str:
    """A name for a file that nobody guesses and nobody chose."""
    return secrets.token_hex(16)


class ProductImage(models.Model):
    """A picture, kept as the sizes that pages show; what was uploaded is not kept."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="images")
    name = models.CharField(max_length=32, unique=True, default=new_name, editable=False)
    alt = models.CharField("what one sees on it", max_length=200)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.alt

    def sizes(self) -> list[tuple[int, str]]:
        """Widths in pixels, and where that size is, the largest last."""
        return [(width, images.address(self.name, width)) for width in images.widths(self.width)]

    @property
    def src(self) -> str:
        """Where the largest is."""
        return self.sizes()[-1][1]

    @property
    def srcset(self) -> str:
        """As HTML wants it."""
        return ", ".join(f"{where} {width}w" for width, where in self.sizes())


def settle_lowest_price(product_id: int) -> None:
    """What its cheapest variant costs, after one has changed."""
    lowest = Variant.objects.filter(product=product_id, live=True).aggregate(lowest=Min("price"))["lowest"]
    Product.objects.filter(pk=product_id).update(lowest_price=lowest)
