"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Payments(AppConfig):
    """Money that comes and goes."""

    name = "payments"

    def ready(self) -> None:
        import_module("payments.checks")
