"""Settings: what is wrong is said in a line, before anything is done."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.pagecache import several_hosts

ROOT = Path(__file__).parents[2]


def manage(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "prod", "production, development, test"),
        ("PORT", "http", "PORT"),
        ("WEB_CONCURRENCY", "many", "WEB_CONCURRENCY"),
        ("EMAIL_URL", "mail.example.org", "submission://"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_line(name: str, value: str, said: str) -> None:
    done = manage("check", **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith("A setting is wrong: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("engine", "valkey", "cache", "said"),
    [
        ("postgresql", "", True, ["config.I001"]),
        ("postgresql", "redis://x", True, []),
        ("postgresql", "", False, []),
        ("sqlite3", "", True, []),
    ],
)
def test_several_hosts_are_asked_for_valkey(
    engine: str, valkey: str, cache: bool, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = {"default": {"ENGINE": f"django.db.backends.{engine}"}}
    settings = SimpleNamespace(DATABASES=databases, VALKEY_URL=valkey, PAGE_CACHE=cache)
    monkeypatch.setattr("config.pagecache.settings", settings)
    assert [found.id for found in several_hosts()] == said


def test_mail_leaves_as_the_url_says() -> None:
    done = manage(
        "shell",
        "-v0",
        "-c",
        "from django.core.mail import mailers; m = mailers.default; print(m.host, m.port, m.username, m.password)",
        EMAIL_URL="submission://ada:pass%2Fword@mail.example.org",
    )
    assert done.stdout.split() == ["mail.example.org", "587", "ada", "pass/word"], done.stderr
