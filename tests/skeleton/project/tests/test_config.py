"""What every project has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

ROOT = Path(__file__).parent.parent


@pytest.mark.django_db
def test_the_probes_answer_before_the_host_check(client: Client) -> None:
    assert client.get("/livez", headers={"host": "evil.example"}).status_code == 200
    assert client.get("/readyz").json()["status"] == "ready"


@pytest.mark.django_db
def test_a_forwarded_scheme_counts_from_a_listed_proxy_only(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    secure = {"x-forwarded-proto": "https"}
    assert client.get("/", headers=secure).status_code == 301
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert Client().get("/", headers=secure).status_code == 200, "the list is read when the server starts"


def test_serve_wants_its_settings(settings: Settings) -> None:
    settings.SECRET_KEY_IS_SET = False
    with pytest.raises(CommandError, match="SECRET_KEY"):
        call_command("serve")


def test_the_deployment_check_is_clean() -> None:
    secret = "abcdefghijklmnopqrstuvwxyz" * 2
    env = os.environ | {"ENVIRONMENT": "production", "SECRET_KEY": secret, "ALLOWED_HOSTS": "x"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
