"""Settings: what is wrong is said in a line, before anything is done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def manage(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "prod", "production, development, test"),
        ("PORT", "http", "PORT"),
        ("WEB_CONCURRENCY", "many", "WEB_CONCURRENCY"),
        ("EMAIL_URL", "mail.example.org", "submission://"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("CURRENCY", "euro", "CURRENCY"),
        ("PAYMENT_CAPTURE", "later", "automatic, manual"),
        ("PAYMENT_PROVIDER", "paypal", "fake, stripe"),
        ("TASKS", "celery", "database, immediate"),
        ("RESERVED_MINUTES", "soon", "RESERVED_MINUTES"),
    ],
)
def test_a_wrong_setting_is_one_line(name: str, value: str, said: str) -> None:
    done = manage("check", **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith("A setting is wrong: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2,
    "ALLOWED_HOSTS": "x",
    "STRIPE_SECRET_KEY": "sk_live_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_1",
    "WEBHOOK_SECRET": "whsec_1",
}


def test_the_deployment_check_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "ENVIRONMENT"])
@pytest.mark.parametrize("command", [["check", "--deploy", "--fail-level", "WARNING"], ["serve"]])
def test_what_production_lacks_is_said_and_nothing_is_served(name: str, command: list[str]) -> None:
    done = manage(*command, **PRODUCTION | {name: ""})
    assert done.returncode == 1
    assert f"{name} " in done.stderr
    assert "not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_sells_by_the_fake_provider() -> None:
    done = manage("serve", **PRODUCTION | {"PAYMENT_PROVIDER": "fake"})
    assert done.returncode == 1
    assert "PAYMENT_PROVIDER is the fake one." in done.stderr


def test_mail_leaves_as_the_url_says() -> None:
    done = manage(
        "shell",
        "-v0",
        "-c",
        "from django.core.mail import mailers; m = mailers.default; print(m.host, m.port, m.username, m.password)",
        EMAIL_URL="submission://ada:pass%2Fword@mail.example.org",
    )
    assert done.stdout.split() == ["mail.example.org", "587", "ada", "pass/word"], done.stderr
