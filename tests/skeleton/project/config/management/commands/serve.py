"""Serve in production."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from granian import Granian
from granian.constants import Interfaces


class Command(BaseCommand):
    help = "Serve in production."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if missing := [name for name in ("SECRET_KEY", "ALLOWED_HOSTS") if not os.environ.get(name)]:
            raise CommandError(f"Set {' and '.join(missing)}: see .env.example.")
        run(settings.HOST, settings.PORT)


def run(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    Granian(
        "config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.WEB_CONCURRENCY,
        log_access=False,
    ).serve()
