"""A key for a program."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys.services import issue


class Command(BaseCommand):
    help = "Make a key and print it, this once: manage.py issue_key till --scope 'stock:read stock:write' --days 90"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("subject", help="whom it acts for")
        parser.add_argument("--scope", default="stock:read", help="what it may")
        parser.add_argument("--days", type=float, help="how long it is good for; without it, until it is revoked")
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        lasts = None if options["days"] is None else timedelta(days=options["days"])
        try:
            who = options["subject"]
            _, text = issue(name=options["name"], who=who, scopes=options["scope"], lasts=lasts, by="manage.py")
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)
