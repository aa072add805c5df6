"""For whoever asks by letter."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.errors import NotYetError
from privacy.services import account_of, erase, orders_of


class Command(BaseCommand):
    help = "Forget a person: the account goes, orders stay without a name. It cannot be taken back."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")
        parser.add_argument("--yes", action="store_true", help="do it; otherwise it is only said what would happen")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        email = options["email"]
        orders, account = orders_of(email).count(), "an account" if account_of(email) else "no account"
        if not options["yes"]:
            self.stdout.write(f"{email} has {account} and {orders} orders. Erase them by --yes.")
            return
        try:
            erase(email)
        except NotYetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Erased: {account}, {orders} orders.")
