"""Serve in production."""

import os
import threading
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


class Command(BaseCommand):
    help = "Serve in production."
    requires_system_checks = [Tags.compatibility]

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        import_module("config.checks")  # an application that forgot them would be served without
        # As `check --deploy`: what production cannot do without.
        found = run_checks(tags=[Tags.security], include_deployment_checks=True)
        if faults := [fault for fault in found if fault.level >= ERROR]:
            raise CommandError(" ".join(f"{fault.msg} {fault.hint}" for fault in faults))
        # After an upgrade they are others. In an image they were collected before, and nothing can be written.
        if settings.STATIC_ROOT and os.access(settings.ROOT, os.W_OK):
            call_command("collectstatic", interactive=False, verbosity=0)
        run(settings.HOST, settings.PORT)


class Interrupt(threading.Event):
    """What the server waits for, and handlers of signals set: also in the middle of each other.

    Of two signals at once (uv passes on what the whole group gets, too) the second handler begins while the first has
    the lock of an Event, and would wait for it for ever. This lock is one that its owner can take again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self._cond = threading.Condition(self.lock)


def run(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; what was begun then is finished, or cut after five seconds."""
    server = Granian(
        "config.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.WEB_CONCURRENCY,
        blocking_threads=settings.THREADS,
        workers_kill_timeout=5,
        respawn_failed_workers=True,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    )
    server.main_loop_interrupt = Interrupt()
    server.serve()
