"""What one finds in the shop. Lists have no more queries for more products."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404

from catalogue.models import Category, Product, ProductImage

ON_A_PAGE = 24
LAST_PAGE = 100  # who wants more seeks
LONGEST_SEARCH = 100
ORDERS = {"new": ("-id",), "price": ("lowest_price", "id"), "-price": ("-lowest_price", "-id")}


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; every part may be missing."""

    text: str = ""
    category: Category | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    available: bool = False
    order: str = "new"
    page: int = 1


@dataclass(frozen=True)
class Found:
    """A page of what was found. How many there are in all is not counted: that would cost more than the page."""

    products: Sequence[Product]
    more: bool
    categories: Sequence[Category] = field(default_factory=list)


def find(wanted: Wanted) -> Found:
    """Products for sale, with their first pictures: three queries."""
    if wanted.page > LAST_PAGE:
        raise Http404
    found: QuerySet[Product] = Product.objects.shown()
    if wanted.category:
        found = found.filter(category__path__startswith=wanted.category.path)
    if wanted.text:
        found = matching(found, wanted.text[:LONGEST_SEARCH])
    if wanted.least is not None:
        found = found.filter(lowest_price__gte=wanted.least)
    if wanted.most is not None:
        found = found.filter(lowest_price__lte=wanted.most)
    if wanted.available:
        found = found.filter(pk__in=Product.objects.filter(variants__live=True, variants__level__available__gt=0))
    first = (wanted.page - 1) * ON_A_PAGE
    shown = list(with_pictures(found.order_by(*ORDERS[wanted.order]))[first : first + ON_A_PAGE + 1])
    below = Category.objects.filter(parent=wanted.category)
    return Found(shown[:ON_A_PAGE], len(shown) > ON_A_PAGE, list(below))


def with_pictures(products: QuerySet[Product]) -> QuerySet[Product]:
    """Each has `pictures`, a list; one query for all of them."""
    return products.prefetch_related(Prefetch("images", ProductImage.objects.all(), to_attr="pictures"))


def matching(products: QuerySet[Product], text: str) -> QuerySet[Product]:
    """Those in which every word is, or begins with it. PostgreSQL has an index for it; SQLite reads them all."""
    if connection.vendor == "postgresql":
        if not (words := query(text)):
            return products.none()
        # DOCUMENT is our own text, and what was typed is a parameter.
        return products.extra(where=[f"{DOCUMENT} @@ to_tsquery('simple', %s)"], params=[words])  # noqa: S610
    for word in text.split():
        products = products.filter(Q(name__icontains=word) | Q(description__icontains=word))
    return products


# As in the index of the second migration, to the letter: otherwise PostgreSQL does not use it.
DOCUMENT = "to_tsvector('simple', catalogue_product.name || ' ' || catalogue_product.description)"


def query(text: str) -> str:
    """What somebody typed, as a question to PostgreSQL: all words, and each may go on. Empty without a word."""
    words = ["".join(letter if letter.isalnum() else " " for letter in word).split() for word in text.split()]
    return " & ".join(f"{part}:*" for parts in words for part in parts)


def price(typed: str) -> Decimal | None:
    """A price that somebody typed, or None where it is none."""
    try:
        amount = Decimal(typed.strip().replace(",", "."))
    except ArithmeticError:
        return None
    return round(amount, 3) if amount.is_finite() and 0 <= amount < 10**9 else None


def json_ld(product: Any, variants: Sequence[Any], address: str, host: str) -> dict[str, Any]:
    """The product as search engines read it (schema.org/Product)."""
    offers = [
        {
            "@type": "Offer",
            "sku": variant.sku,
            "price": str(variant.money.amount),
            "priceCurrency": settings.CURRENCY,
            "availability": f"https://schema.org/{'InStock' if variant.level.available else 'OutOfStock'}",
            "url": address,
        }
        for variant in variants
    ]
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "description": product.description,
        "image": [f"{host}{image.src}" for image in product.pictures],
        "category": product.category.name,
        "offers": offers,
    }
