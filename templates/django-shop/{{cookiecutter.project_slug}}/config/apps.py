"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class Config(AppConfig):
    """The project itself, for its commands. It is the last in the list: the others' permissions are there."""

    name = "config"

    def ready(self) -> None:
        import_module("config.checks")
        post_migrate.connect(import_module("config.roles").make, sender=self)


class Desk(AdminConfig):
    """The admin, as `config.desk` has it."""

    default_site = "config.desk.Desk"
