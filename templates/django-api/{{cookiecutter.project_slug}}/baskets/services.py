"""Several products at once: the only transaction that takes more than one of their rows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from config.problems import Invalid, NotFound
from reservations.models import Reservation
from reservations.services import no_product
from stock.errors import NotEnough
from stock.services import joined, put_aside


@joined
def hold_many(*, items: Sequence[dict[str, Any]], expires_in: int, by: str) -> list[Reservation]:
    """Put several products aside, all or none. By ascending id: two who want the same never wait in a circle."""
    lacking, unknown = [], []
    for number, item in sorted(enumerate(items), key=lambda each: (each[1]["product_id"], each[0])):
        try:
            put_aside(item["product_id"], item["quantity"])
        except NotEnough as error:
            lacking.append({"pointer": f"#/items/{number}", "detail": error.detail})
        except NotFound:
            unknown.append(no_product(f"#/items/{number}/product_id").errors[0])
    if unknown:
        raise Invalid(errors=unknown)
    if lacking:
        raise NotEnough("Nothing was put aside.", errors=lacking)
    now = timezone.now()
    expires_at = now + timedelta(seconds=expires_in)
    return Reservation.objects.bulk_create(
        Reservation(**item, holder=by, expires_at=expires_at, created_at=now) for item in items
    )
