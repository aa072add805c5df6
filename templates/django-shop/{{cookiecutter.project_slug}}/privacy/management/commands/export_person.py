"""For whoever asks by letter."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.services import account_of, everything, orders_of


class Command(BaseCommand):
    help = "Write everything that is held about a person into a ZIP. Make sure first that the person is who asks."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")
        parser.add_argument("file", type=Path)

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if not account_of(options["email"]) and not orders_of(options["email"]).exists():
            raise CommandError(f"Nothing is held about {options['email']}.")
        try:
            with options["file"].open("xb") as file:
                file.write(everything(options["email"]))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{options['file']} has everything about {options['email']}.")
