"""Every variant has a level, whoever made it."""

from django.db.models.signals import post_save

from catalogue.models import Variant
from stock.models import Level


def begin(instance: Variant, *, created: bool, **_: object) -> None:
    if created:
        Level.objects.get_or_create(variant=instance)


post_save.connect(begin, sender=Variant)
