"""The end of a key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys.models import APIKey
from apikeys.services import SHOWN, revoke


class Command(BaseCommand):
    help = "End a key, at once: manage.py revoke_key stock_Ab12Cd"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("begins", help="how it begins, as the admin shows it")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        # Whoever pastes all of it has it in the shell's history, but means this one.
        found = [*APIKey.objects.filter(begins=options["begins"][:SHOWN])]
        if len(found) != 1:
            raise CommandError(f"{len(found)} keys begin like that.")
        if not revoke(key=found[0], by="manage.py"):
            raise CommandError("It was revoked before.")
        self.stdout.write(f"{found[0]} opens nothing any more.")
