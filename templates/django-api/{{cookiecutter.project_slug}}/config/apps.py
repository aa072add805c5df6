"""What happens once when a process starts."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class Config(AppConfig):
    """The project itself, for its commands."""

    name = "config"

    def ready(self) -> None:
        import_module("config.checks")
        import_module("accounts.checks")


class Desk(AdminConfig):
    """The admin, as `config.desk` has it."""

    default_site = "config.desk.Desk"
