"""In which state an order can be, and which may follow: this table is the whole machine."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where an order stands."""

    PENDING = "pending", "waiting for payment"
    PAID = "paid", "paid"
    SHIPPED = "shipped", "on its way"
    RETURNED = "returned", "sent back"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "not paid in time"


NEXT: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PAID, Status.CANCELLED, Status.EXPIRED}),
    Status.PAID: frozenset({Status.SHIPPED, Status.CANCELLED}),
    Status.SHIPPED: frozenset({Status.RETURNED}),
    Status.RETURNED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset({Status.PAID}),  # the money came late, and there is still enough
}
