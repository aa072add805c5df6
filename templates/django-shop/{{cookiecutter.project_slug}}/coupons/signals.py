"""What coupons hear of orders and baskets."""

from django.db.models.signals import post_save

from basket.models import Basket
from basket.services import merging
from coupons.services import carry_over, follow
from orders.models import OrderEvent


def heard(instance: OrderEvent, **_: object) -> None:
    follow(instance)


def merged(source: Basket, into: Basket, **_: object) -> None:
    carry_over(source, into)


post_save.connect(heard, sender=OrderEvent)
merging.connect(merged)
