"""What one may do with a basket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Prefetch, Subquery
from django.dispatch import Signal
from django.utils import timezone

from accounts.models import User
from basket.errors import QuantityError
from basket.models import MOST, Basket, Line
from catalogue.models import ProductImage, Variant
from config.money import Money
from stock.errors import OutOfStockError
from stock.models import Level

merging = Signal()  # `source` is about to be deleted; what is about it goes `into` the other
FORGOTTEN = timedelta(days=60)


@dataclass(frozen=True)
class Contents:
    """What is in a basket, at the prices of now."""

    lines: Sequence[Line]

    @property
    def count(self) -> int:
        """How many things."""
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal(self) -> Money:
        """What they cost, without shipping."""
        return Money.total((line.total for line in self.lines), settings.CURRENCY)

    @property
    def buyable(self) -> bool:
        """Whether it can be ordered as it is."""
        return bool(self.lines) and all(line.enough for line in self.lines)


def contents(basket: Basket | None) -> Contents:
    """With product, stock and picture of each line: two queries, however many lines."""
    if basket is None:
        return Contents([])
    pictures = Prefetch("variant__product__images", ProductImage.objects.all(), to_attr="pictures")
    lines = basket.lines.select_related("variant__product__category", "variant__level").prefetch_related(pictures)
    return Contents(list(lines))


@transaction.atomic
def add(*, basket: Basket, variant: Variant, quantity: int) -> Line:
    """So many more. Raises QuantityError for a number that nobody can want, OutOfStockError for more than there are."""
    if not 1 <= quantity <= MOST:
        raise QuantityError(f"Between 1 and {MOST}, please.")
    locked(basket)
    line = Line.objects.filter(basket=basket, variant=variant).first()
    return put(basket, variant, quantity + (line.quantity if line else 0))


@transaction.atomic
def change(*, basket: Basket, variant: Variant, quantity: int) -> None:
    """So many, and no others; 0 takes it out."""
    if not 0 <= quantity <= MOST:
        raise QuantityError(f"Between 0 and {MOST}, please.")
    locked(basket)
    if quantity:
        put(basket, variant, quantity)
    else:
        basket.lines.filter(variant=variant).delete()


def put(basket: Basket, variant: Variant, quantity: int) -> Line:
    """Write the line down. The stock is only looked at here: it is taken when somebody orders."""
    if not (variant.live and variant.product.live) or (there := available(variant)) < quantity:
        raise OutOfStockError({variant.pk: available(variant)})
    now = {"quantity": min(quantity, MOST, there), "price_seen": variant.price}
    line, _ = Line.objects.update_or_create(basket=basket, variant=variant, defaults=now)
    Basket.objects.filter(pk=basket.pk).update(changed_at=timezone.now())
    return line


def seen(basket: Basket) -> None:
    """The customer knows the prices of now."""
    price = Variant.objects.filter(pk=OuterRef("variant")).values("price")
    basket.lines.update(price_seen=Subquery(price))


@transaction.atomic
def merge(*, token: str, user: User) -> Basket:
    """At sign-in: what was put in before comes to what was there. Never more than there is."""
    mine, _ = Basket.objects.get_or_create(user=user)
    found = Basket.objects.filter(token=token, user=None).exclude(pk=mine.pk).first()
    for basket in sorted(filter(None, [mine, found]), key=lambda each: each.pk):
        locked(basket)
    for line in found.lines.select_related("variant__product") if found else ():
        there = Line.objects.filter(basket=mine, variant=line.variant).first()
        together = min(line.quantity + (there.quantity if there else 0), MOST, available(line.variant))
        if together and line.for_sale:
            now = {"quantity": together, "price_seen": line.price_seen}
            Line.objects.update_or_create(basket=mine, variant=line.variant, defaults=now)
    if found:
        merging.send(Basket, source=found, into=mine)
        found.delete()
    return mine


def available(variant: Variant) -> int:
    """How many there are."""
    return Level.objects.filter(pk=variant.pk).values_list("available", flat=True).first() or 0


def locked(basket: Basket) -> None:
    """Others who want to change it wait until we are done."""
    Basket.objects.filter(pk=basket.pk).update(changed_at=F("changed_at"))


def forget_old() -> int:
    """Delete the baskets of those who did not come back, but for those with an account."""
    return Basket.objects.filter(user=None, changed_at__lt=timezone.now() - FORGOTTEN).delete()[0]
