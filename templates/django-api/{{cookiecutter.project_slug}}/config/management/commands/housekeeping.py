"""What has to happen by the clock, each minute; it can run as often, and as many at once, as one likes."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from config import extras
from idempotency import services as idempotency
from reservations import services as reservations


class Command(BaseCommand):
    help = "Release what has expired, and forget the answers whose keys have come to their end."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        done = {
            "products with overdue reservations": reservations.release_all_overdue(),
            "answers forgotten": idempotency.forget_old(),
            **{name: import_string(name)() for name in extras.BY_THE_CLOCK},
        }
        call_command("clearsessions")
        if said := ", ".join(f"{what}: {many}" for what, many in done.items() if many):
            self.stdout.write(said)
