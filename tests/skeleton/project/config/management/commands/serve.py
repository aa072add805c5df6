"""Serve in production."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from gunicorn.app.base import BaseApplication

from config.wsgi import application


class Server(BaseApplication):
    """Gunicorn, started from here."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return application


class Command(BaseCommand):
    help = "Serve in production."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if missing := [name for name in ("SECRET_KEY", "ALLOWED_HOSTS") if not os.environ.get(name)]:
            raise CommandError(f"Set {' and '.join(missing)}: see .env.example.")
        run(settings.HOST, settings.PORT)


def run(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    Server({"bind": f"{host}:{port}", "workers": settings.WEB_CONCURRENCY, "threads": 4, "graceful_timeout": 2}).run()
