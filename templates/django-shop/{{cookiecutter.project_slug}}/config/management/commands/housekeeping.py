"""What has to happen by the clock, each minute; it can run as often, and as many at once, as one likes."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from basket import services as baskets
from config import extras
from orders import services as orders
from orders import tasks as mails
from payments import services as payments
from payments import tasks as money


class Command(BaseCommand):
    help = "Release what was not paid for, and take up what was left lying: messages, refunds, mails."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        payments.look_at_unpaid()
        done = {
            "messages processed": payments.process_left(),
            "orders expired": orders.expire_unpaid(),
            "refunds taken up": money.do_left(),
            "mails taken up": mails.send_left(),
            "messages forgotten": payments.forget_old(),
            "baskets forgotten": baskets.forget_old(),
            **{name: do() for name, do in extras.by_the_clock().items()},
        }
        call_command("clearsessions")
        if "Database" in settings.TASKS["default"]["BACKEND"]:
            call_command("prune_db_task_results", verbosity=0)
        if said := ", ".join(f"{what}: {many}" for what, many in done.items() if many):
            self.stdout.write(said)
