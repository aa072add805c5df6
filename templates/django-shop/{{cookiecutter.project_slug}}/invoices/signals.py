"""What invoices hear of orders."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_save

from invoices.tasks import write
from orders.models import Kind, OrderEvent


def heard(instance: OrderEvent, **_: object) -> None:
    if instance.kind in (Kind.PAID, Kind.REFUNDED):
        transaction.on_commit(partial(write.enqueue, instance.order_id))


post_save.connect(heard, sender=OrderEvent)
