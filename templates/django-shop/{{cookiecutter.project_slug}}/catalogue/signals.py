"""What follows from a change of a variant or a picture, whoever made it."""

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from catalogue import images
from catalogue.models import ProductImage, Variant, settle_lowest_price


def settle(instance: Variant, **_: object) -> None:
    settle_lowest_price(instance.product_id)


def forget(instance: ProductImage, **_: object) -> None:
    transaction.on_commit(lambda: images.forget(instance.name, instance.width))


post_save.connect(settle, sender=Variant)
post_delete.connect(settle, sender=Variant)
post_delete.connect(forget, sender=ProductImage)
