"""What may happen to the stock. The level and the ledger change in one transaction, or not at all."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Sum

from accounts.models import User
from catalogue.models import Variant
from stock.errors import OutOfStockError
from stock.models import Level, Movement, Reason


@transaction.atomic
def take(*, wanted: Mapping[int, int], reference: str) -> None:
    """Take so many of each variant (by id) for an order, or nothing: then OutOfStockError says what lacks.

    Each is one UPDATE that asks and takes at once, so that of twenty at a time nobody takes what another has taken.
    It asks for nothing of another table: with a join Django makes it a subquery, and PostgreSQL, having waited for
    somebody else, would not ask that again. By ascending id: two who want the same two things never wait in a circle.
    """
    for variant, quantity in sorted(wanted.items()):
        here = Level.objects.filter(pk=variant, available__gte=quantity)
        if not here.update(available=F("available") - quantity):
            raise OutOfStockError(lacking(wanted))
    note(wanted, -1, Reason.SOLD, reference)


@transaction.atomic
def put_back(*, given: Mapping[int, int], reference: str, reason: Reason = Reason.RELEASED) -> None:
    """What an order had taken can be sold again."""
    for variant, quantity in sorted(given.items()):
        Level.objects.filter(pk=variant).update(available=F("available") + quantity)
    note(given, +1, reason, reference)


@transaction.atomic
def correct(*, variant: int, delta: int, reason: Reason, by: User | None, reference: str = "") -> None:
    """Receive, count or write off. Raises OutOfStockError when more is to go than there is."""
    Level.objects.get_or_create(variant_id=variant)
    if not Level.objects.filter(pk=variant, available__gte=-delta).update(available=F("available") + delta):
        raise OutOfStockError(lacking({variant: -delta}))
    Movement.objects.create(variant_id=variant, delta=delta, reason=reason, reference=reference, by=by)


def note(quantities: Mapping[int, int], sign: int, reason: Reason, reference: str) -> None:
    """Write into the ledger what has moved."""
    Movement.objects.bulk_create(
        Movement(variant_id=variant, delta=sign * quantity, reason=reason, reference=reference)
        for variant, quantity in sorted(quantities.items())
    )


def lacking(wanted: Mapping[int, int]) -> dict[int, int]:
    """What there is of those of which there is not enough."""
    there = dict(Level.objects.filter(pk__in=wanted).values_list("pk", "available"))
    return {variant: there.get(variant, 0) for variant, many in wanted.items() if there.get(variant, 0) < many}


def differences() -> dict[str, tuple[int, int]]:
    """Where the level is not the sum of the ledger, by SKU: (level, sum). Always empty, or there is a mistake."""
    sums = Variant.objects.annotate(sum=Sum("movements__delta")).values_list("sku", "level__available", "sum")
    return {sku: (level or 0, total or 0) for sku, level, total in sums if (level or 0) != (total or 0)}
