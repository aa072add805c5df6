"""The worker that sends mail, in a process of its own, and killed in the middle of it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from tests.processes import PROJECT, Processes

ORDERS = """
from tests.shelf import make_variant, place
variant = make_variant(stock_of=100, sku="WORKER", name="Worker's thing")
for _ in range(12):
    place({variant: 1})
"""
LEFT = "from orders.models import Mail; print('left', Mail.objects.filter(sent_at=None).count())"
# As if five minutes had passed: who has begun to send one is not believed to be at it any more.
LATER = """
from datetime import timedelta
from django.utils import timezone
from orders.models import Mail, OrderEvent
before = timezone.now() - timedelta(days=1)
Mail.objects.filter(sent_at=None, claimed_until__isnull=False).update(claimed_until=before)
OrderEvent.objects.update(at=before)
"""


def left(processes: Processes) -> int:
    """How many mails are not sent yet."""
    return int(re.findall(r"left (\d+)", processes.run("shell", "-v0", "-c", LEFT))[-1])


def worker(processes: Processes, output: IO[bytes], *options: str) -> "subprocess.Popen[bytes]":
    """A worker that prints the mails that it sends."""
    command = [sys.executable, "manage.py", "db_worker", *options]
    return subprocess.Popen(command, cwd=PROJECT, env=processes.env | {"EMAIL_URL": "console:"}, stdout=output)


def test_a_worker_that_is_killed_loses_no_mail(processes: Processes, tmp_path: Path) -> None:
    """What was sent and not written down is sent once more, under the same name; nothing is missing."""
    log = tmp_path / "mails"
    before = left(processes)
    processes.run("shell", "-v0", "-c", ORDERS)
    with log.open("wb") as output:
        for _ in range(3):
            killed = worker(processes, output, "--interval", "0.1")
            time.sleep(2)
            os.kill(killed.pid, 9)
            killed.wait()
            processes.run("shell", "-v0", "-c", LATER)
            processes.run("housekeeping")
        assert worker(processes, output, "--batch").wait(120) == 0
    names = re.findall(r"^Message-ID: (<.+>)$", log.read_text("utf-8"), re.MULTILINE)
    assert left(processes) == 0
    assert len({*names}) == 12 + before
