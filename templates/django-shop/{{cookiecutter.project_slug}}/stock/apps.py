"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Stock(AppConfig):
    """What there is."""

    name = "stock"

    def ready(self) -> None:
        import_module("stock.signals")  # not before all models are there
