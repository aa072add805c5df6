"""Commands, as one types them."""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from catalogue.models import Product
from orders.models import Order
from orders.states import Status
from stock.services import differences
from tests.servers import free_port

ROOT = Path(__file__).parent.parent


@pytest.mark.django_db
def test_the_demo_is_the_same_when_loaded_twice(client: Client, settings: Settings) -> None:
    call_command("load_demo", verbosity=0)
    before = [*Product.objects.values_list("pk", "name"), *Order.objects.values_list("pk", "total")]
    call_command("load_demo", verbosity=0)
    assert before == [*Product.objects.values_list("pk", "name"), *Order.objects.values_list("pk", "total")]
    assert Product.objects.count() == 60
    assert {*Order.objects.values_list("status", flat=True)} == {*Status}
    assert differences() == {}
    call_command("reconcile")
    for address in ("/", "/shop/kitchen/", "/products/moor-cup/"):
        assert client.get(address).status_code == 200, address
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not for production"):
        call_command("load_demo")


@pytest.mark.django_db
def test_housekeeping_does_nothing_where_nothing_is_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("housekeeping")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "env",
    [{"ENVIRONMENT": "production"}, {"ENVIRONMENT": "development", "DATABASE_URL": "sqlite:////tmp/mine.sqlite3"}],
)
def test_the_demo_touches_nothing_of_ours(env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The demo ")


def test_served_it_answers_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    env = os.environ | {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        "DATA_DIR": str(tmp_path),
        "STRIPE_SECRET_KEY": "sk",
        "STRIPE_PUBLISHABLE_KEY": "pk",
        "WEBHOOK_SECRET": "whsec",
        "PORT": str(port),
        "LOG_LEVEL": "INFO",
    }
    collected = ROOT / "collected" / "staticfiles.json"
    collected.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    too_long = threading.Timer(60, process.kill)
    too_long.start()
    answered = b""
    while process.poll() is None and not answered:
        try:
            answered = urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).read()
        except OSError:
            continue
    process.send_signal(signal.SIGTERM)
    printed = process.communicate()[0]
    too_long.cancel()
    assert answered == b'{"status": "alive"}'
    assert process.returncode == 0, printed
    assert not re.search("Traceback", printed)
    assert collected.exists(), "after an upgrade the files of pages are others"
