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
from django.core.management import call_command

from tests.servers import free_port

ROOT = Path(__file__).parent.parent


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


def test_the_demo_and_the_tests_never_see_what_is_in_dotenv(tmp_path: Path) -> None:
    assert os.environ["DOTENV"] == os.devnull
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:////real.sqlite3\nENVIRONMENT=production\n")
    code = (
        "from config.demo import prepare; prepare(); from config import settings as s; print(s.DATABASES, s.PRODUCTION)"
    )
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "ENVIRONMENT")}
    env |= {"DOTENV": str(tmp_path / ".env")}
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert "/.demo/data.sqlite3" in printed
    assert (ROOT / ".demo" / "secret-key").stat().st_mode & 0o077 == 0
    assert printed.endswith("False\n")


def test_served_it_answers_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    env = os.environ | {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        "DATA_DIR": str(tmp_path),
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
