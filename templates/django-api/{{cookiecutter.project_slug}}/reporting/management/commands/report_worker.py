"""Makes reports; as many of it as one likes, on as many hosts."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from reporting.services import added_up, work

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Make what is ordered, until SIGINT or SIGTERM."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between looking")
        parser.add_argument("--batch", action="store_true", help="end when there is nothing to be made")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        ended = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: ended.set())
        while not ended.is_set():
            if not self.worked() and (options["batch"] or ended.wait(options["interval"])):
                return

    def worked(self) -> bool:
        """Whether there was something to do. A database that goes and comes back ends no worker."""
        try:
            return work(added_up)
        except OperationalError as error:
            logger.warning("The database does not answer: %s", error)
            connection.close()
            return False
