"""A token for somebody, or for a program."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.callers import SCOPES
from accounts.tokens import InvalidToken, issue
from config import extras


class Command(BaseCommand):
    help = "Print a token: manage.py token ada --scope 'stock:read stock:write' --minutes 60"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("subject", help="whom it is for: what they hold is theirs")
        parser.add_argument("--scope", default="stock:read", help=f"what they may, of {' and '.join(SCOPES)}")
        parser.add_argument("--minutes", type=int, default=60, help="how long it is good for")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if not settings.SECRET_KEY_IS_SET:
            raise CommandError("Set SECRET_KEY: by another key than the server's the token would be none.")
        if unknown := {*options["scope"].split()} - {*SCOPES}:
            raise CommandError(f"There is no scope {', '.join(sorted(unknown))}. There are {' and '.join(SCOPES)}.")
        try:
            lasts = timedelta(minutes=options["minutes"])
            token = issue(options["subject"], scopes=options["scope"], lasts=lasts)
            extras.caller_of(token)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except InvalidToken as error:
            raise CommandError("Such a token is not believed here: it is over, or somebody else makes them.") from error
        self.stdout.write(token)
