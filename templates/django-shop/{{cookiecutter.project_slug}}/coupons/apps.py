"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig


class Coupons(AppConfig):
    name = "coupons"

    def ready(self) -> None:
        import_module("coupons.signals")
