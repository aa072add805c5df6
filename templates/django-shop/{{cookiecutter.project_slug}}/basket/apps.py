"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Basket(AppConfig):
    """What somebody is about to buy."""

    name = "basket"

    def ready(self) -> None:
        import_module("basket.signals")  # not before all models are there
