"""Serve in production."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from gunicorn.app.base import BaseApplication

from config.checks import needed
from config.wsgi import application


class Server(BaseApplication):
    """Gunicorn, started from here: with threads, and forked from this process, which has the application already."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIHandler:
        return application


class Command(BaseCommand):
    help = "Serve in production."
    requires_system_checks = [Tags.compatibility]

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if faults := needed():
            raise CommandError(" ".join(f"{fault.msg} {fault.hint}" for fault in faults))
        if settings.STATIC_ROOT and not (settings.STATIC_ROOT / "staticfiles.json").exists():
            call_command("collectstatic", interactive=False, verbosity=0)
        run(settings.HOST, settings.PORT)


def run(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; what was begun then is finished within five seconds."""
    connections.close_all()  # one that two processes share would mix up their answers
    Server(
        bind=f"{host}:{port}",
        workers=settings.WEB_CONCURRENCY,
        worker_class="gthread",
        threads=settings.THREADS,
        graceful_timeout=5,
        forwarded_allow_ips="",  # config.security decides whom to believe
        loglevel="warning",
    ).run()
