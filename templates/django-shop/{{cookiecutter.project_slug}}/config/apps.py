"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate

NEEDED = ["catalogue.signals", "stock.signals", "basket.signals", "config.checks", "payments.checks"]


class Config(AppConfig):
    """The project itself. It is the last in the list: all models and the others' permissions are there."""

    name = "config"

    def ready(self) -> None:
        for module in NEEDED:
            import_module(module)
        post_migrate.connect(import_module("config.roles").make, sender=self)


class Desk(AdminConfig):
    """The admin, as `config.desk` has it."""

    default_site = "config.desk.Desk"
