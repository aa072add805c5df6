"""Whether the providers, the orders and the stock say the same as we."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import services
from stock.services import differences


class Command(BaseCommand):
    help = "Compare payments with their provider, and the stock with its ledger. What differs is an exit code of 1."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--days", type=int, default=7, help="how old payments may be")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        found = 0
        for payment, what in services.differences(timedelta(days=options["days"])):
            found += 1
            self.stdout.write(f"order {payment.order}, {payment}: {what}")
        for sku, (level, total) in differences().items():
            found += 1
            self.stdout.write(f"stock of {sku}: {level}, and its ledger says {total}")
        if found:
            raise CommandError(f"{found} differ.")
        self.stdout.write("Everything agrees.")
