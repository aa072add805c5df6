"""Its name for Django."""

from django.apps import AppConfig


class Orders(AppConfig):
    """What was ordered."""

    name = "orders"
