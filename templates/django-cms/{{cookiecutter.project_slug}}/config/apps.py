"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Config(AppConfig):
    """The project itself, for its commands."""

    name = "config"

    def ready(self) -> None:
        # Not before all models are there.
        import_module("config.checks")
        import_module("config.signals")
