"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Headless(AppConfig):
    """What is public, as JSON."""

    name = "headless"

    def ready(self) -> None:
        import_module("headless.fields")  # not before all models are there
