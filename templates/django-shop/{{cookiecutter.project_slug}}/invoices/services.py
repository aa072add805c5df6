"""What may happen with invoices: they are written, and nothing else."""

import hashlib
import logging

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from invoices.models import Invoice, Series
from invoices.paper import drawn
from orders.models import Order
from payments.models import Payment, Refund

logger = logging.getLogger("invoices")
RECEIVED = Payment.objects.filter(settled=True, status="captured")  # held on a card is not received
GIVEN = Refund.objects.filter(status=Refund.Status.DONE, payment__in=RECEIVED)  # a payment too many was never billed


def bring_up_to_date(order: Order) -> int:
    """Write what an order lacks: its invoice once it is paid, a credit note for each refund. How many it were."""
    if order.total and not RECEIVED.filter(order=order).exists():
        return 0
    given = GIVEN.filter(payment__order=order).order_by("pk")
    return sum(issue(order, refund) for refund in (None, *given))


@transaction.atomic
def issue(order: Order, refund: Refund | None) -> bool:
    """Write one, unless it is there. The number is taken in the transaction that uses it: so there is no gap, and one
    who comes at the same time waits.
    """
    now = timezone.localtime()
    Series.objects.get_or_create(year=now.year)
    series = Series.objects.select_for_update().get(year=now.year)
    if Invoice.objects.filter(order=order, refund=refund).exists():
        return False
    series.last += 1
    series.save()
    made = Invoice(order=order, refund=refund, year=now.year, number=series.last, issued_at=now)
    made.pdf = drawn(made.name, order, refund, now)
    made.sha256 = hashlib.sha256(made.pdf).hexdigest()
    made.save()
    return True


def issue_left() -> int:
    """Write what nobody has written: the task was lost with a process, or failed."""
    paid = Order.objects.filter(Q(total=0) | Q(pk__in=RECEIVED.values("order")))
    without = paid.exclude(pk__in=Invoice.objects.filter(refund=None).values("order"))
    given = GIVEN.exclude(pk__in=Invoice.objects.exclude(refund=None).values("refund"))
    done = 0
    for order in Order.objects.filter(Q(pk__in=without) | Q(pk__in=given.values("payment__order"))):
        try:
            done += bring_up_to_date(order)
        except Exception:  # one that cannot be written must not keep the others from it
            logger.exception("the invoice of order %s could not be written", order)
    return done
