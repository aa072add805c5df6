"""See it work, from nothing."""

import json
import secrets
import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from config.management.commands.serve import run


class Command(BaseCommand):
    help = "Make the tables and an account, and serve."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo is not for production.")
        call_command("migrate", verbosity=0)
        kept = Path(settings.DATABASES["default"]["NAME"]).with_name("people.json")
        people: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        if not people:
            people = {"ada": secrets.token_urlsafe(9)}
            User.objects.create_user("ada", password=people["ada"])
            kept.write_text(json.dumps(people), "utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        accounts = "\n".join(f"  {name}  {password}" for name, password in people.items())
        self.stdout.write(f"\n  http://127.0.0.1:{port}\n\n{accounts}\n")
        self.stdout.flush()
        run("127.0.0.1", port)
