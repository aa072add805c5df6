"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Invoices(AppConfig):
    name = "invoices"

    def ready(self) -> None:
        import_module("invoices.signals")
