"""Invoices are written beside the request."""

from django.tasks import task

from invoices import services
from orders.models import Order


@task
def write(order: int) -> None:
    """What is missing of an order; once, however often it is asked for."""
    services.bring_up_to_date(Order.objects.get(pk=order))
