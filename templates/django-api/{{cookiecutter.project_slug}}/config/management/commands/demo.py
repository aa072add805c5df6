"""See it work, from nothing."""

import json
import secrets
import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.tokens import issue
from config.demo import FOLDER
from config.management.commands.serve import run
from reservations import services as reservations
from stock import services as stock
from stock.models import Product

SOMEBODY = "admin@example.org"
TEAS = ["Assam", "Ceylon", "Darjeeling", "Earl Grey", "Genmaicha", "Gyokuro", "Jasmine", "Keemun", "Lapsang", "Matcha"]
SIZES = [("50", "50 g"), ("100", "100 g"), ("250", "250 g"), ("1000", "1 kg")]


class Command(BaseCommand):
    help = "Make the tables, products and a token, and serve them: the one command from nothing to an API."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--port", type=int, help="8000, or a free one when that is taken")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if settings.DATA != FOLDER:
            raise CommandError("Start the demo by manage.py: it has a database of its own.")
        call_command("migrate", verbosity=0)
        if not Product.objects.exists():
            fill()
        kept = FOLDER / "people.json"
        passwords: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        if SOMEBODY not in passwords:
            passwords[SOMEBODY] = secrets.token_urlsafe(9)
            User.objects.create_superuser(SOMEBODY, passwords[SOMEBODY])
            kept.touch(0o600)
            kept.write_text(json.dumps(passwords), encoding="utf-8")
        port = options["port"] or free_port(preferred=8000)
        token = issue("ada", scopes="stock:read stock:write", lasts=timedelta(days=1))
        here = f"http://127.0.0.1:{port}"
        self.stdout.write(
            f"\n  The API        {here}\n  Its desk       {here}/admin/\n\n"
            f"  {SOMEBODY:<24} {passwords[SOMEBODY]}\n\n"
            f"  A token for a day, and the first call:\n\n"
            f"TOKEN={token}\ncurl -H \"Authorization: Bearer $TOKEN\" '{here}/api/v1/products?limit=2'\n"
        )
        self.stdout.flush()
        run("127.0.0.1", port)


def fill() -> None:
    """Forty products, movements, and reservations of which some are confirmed."""
    for number, tea in enumerate(TEAS):
        for size, words in SIZES:
            sku = f"{tea.replace(' ', '-').upper()}-{size}"
            product = stock.create(sku=sku, name=f"{tea}, {words}", by="demo").pk
            stock.move(product_id=product, kind="receive", quantity=12 + 7 * number, note="First delivery", by="demo")
            held = reservations.hold(product_id=product, quantity=1 + number, expires_in=86_400, by="ada")
            if number % 3 == 0:
                reservations.confirm(reservation_id=held.pk, by="ada")


def free_port(*, preferred: int) -> int:
    """The preferred port, or any other when somebody has that."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CommandError("There is no free port.")
