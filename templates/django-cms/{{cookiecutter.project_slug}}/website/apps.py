"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Website(AppConfig):
    """What is the same on every page."""

    name = "website"

    def ready(self) -> None:
        import_module("website.signals")  # not before all models are there
