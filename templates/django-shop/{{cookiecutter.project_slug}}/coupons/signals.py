"""What coupons hear of orders."""

from django.db.models.signals import post_save

from coupons.services import follow
from orders.models import OrderEvent


def heard(instance: OrderEvent, **_: object) -> None:
    follow(instance)


post_save.connect(heard, sender=OrderEvent)
