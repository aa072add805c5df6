"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Catalogue(AppConfig):
    """What the shop has."""

    name = "catalogue"

    def ready(self) -> None:
        import_module("catalogue.signals")  # not before all models are there
