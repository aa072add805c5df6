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
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("RATE_LIMIT", "many", "RATE_LIMIT is like 600/60"),
        ("RATE_LIMIT", "0/60", "RATE_LIMIT is like 600/60"),
        ("THREADS", "many", "THREADS"),
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


@pytest.mark.parametrize("short", [{"SECRET_KEY": "x" * 49}, {"SECRET_KEY_FALLBACKS": "old"}])
def test_a_key_that_can_be_guessed_serves_nothing(short: dict[str, str]) -> None:
    done = manage("serve", **PRODUCTION | short)
    assert done.returncode == 1
    assert f"{next(iter(short))} is too short" in done.stderr
