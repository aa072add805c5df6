"""See it work, from nothing."""

import json
import os
import secrets
import socket
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from config.demo import FOLDER
from config.management.commands.serve import run

PEOPLE = {
    "customer@example.org": None,
    "packer@example.org": "Fulfilment",
    "finance@example.org": "Finance",
    "admin@example.org": "",
}


class Command(BaseCommand):
    help = "Make the tables, products, orders and accounts, and serve them: the one command from nothing to a shop."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--port", type=int, help="8000, or a free one when that is taken")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if settings.DATA != FOLDER:
            raise CommandError("Start the demo by manage.py: it has a database of its own.")
        call_command("migrate", verbosity=0)
        kept = FOLDER / "people.json"
        passwords: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        for email, role in PEOPLE.items():
            if email not in passwords:
                passwords[email] = secrets.token_urlsafe(9)
                make_person(email, role, passwords[email])
        kept.write_text(json.dumps(passwords), encoding="utf-8")
        port = options["port"] or free_port(preferred=8000)
        os.environ["BASE_URL"] = settings.BASE_URL = f"http://127.0.0.1:{port}"  # for mail, and the server's processes
        if "load_demo" in get_commands():
            call_command("load_demo", verbosity=0)
        people = "\n".join(f"  {email:<24} {password}" for email, password in passwords.items())
        self.stdout.write(
            f"\n  The shop       http://127.0.0.1:{port}\n  Its desk       http://127.0.0.1:{port}/admin/\n\n{people}\n"
        )
        self.stdout.flush()
        run("127.0.0.1", port)


def make_person(email: str, role: str | None, password: str) -> None:
    """A customer (None), somebody with a role, or with every right ("")."""
    person, _ = User.objects.get_or_create(email=email)
    person.set_password(password)
    person.is_staff, person.is_superuser = role is not None, role == ""
    person.save()
    EmailAddress.objects.get_or_create(user=person, email=email, defaults={"verified": True, "primary": True})
    if role:
        person.groups.set([Group.objects.get(name=role)])


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
