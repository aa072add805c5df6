"""The worker that sends mail, in a process of its own, and killed at the worst moment: sent, and not written down."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from tests.processes import Processes

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


class PostOffice(ThreadingTCPServer):
    """A mail server (RFC 5321, as much as one letter needs) that can keep its thanks to itself."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.letters: list[str] = []
        self.taken, self.thanks = threading.Event(), threading.Event()

    @property
    def names(self) -> list[str]:
        """The Message-ID of each letter."""
        return [re.findall(r"^Message-ID: (\S+)", letter, re.MULTILINE)[0] for letter in self.letters]


class Conversation(StreamRequestHandler):
    """With one who brings letters."""

    server: PostOffice

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever brought it was killed
            self.wfile.write(b"220 hello\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    self.server.letters.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                    self.server.taken.set()
                    self.server.thanks.wait()
                self.wfile.write(b"250 thank you\r\n")


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    with PostOffice() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.thanks.set()
        server.shutdown()


def left(processes: Processes) -> int:
    """How many mails are not sent yet."""
    return int(re.findall(r"left (\d+)", processes.run("shell", "-v0", "-c", LEFT))[-1])


def test_a_worker_that_is_killed_loses_no_mail(processes: Processes, post_office: PostOffice) -> None:
    """What the mail server has taken, and we have not written down, is sent once more, under the same name."""
    before = left(processes)
    processes.run("shell", "-v0", "-c", ORDERS)
    url = f"smtp://127.0.0.1:{post_office.server_address[1]}"
    worker = processes.start("db_worker", "--interval", "0.1", EMAIL_URL=url)
    assert post_office.taken.wait(30)
    os.kill(worker.pid, 9)
    worker.wait()
    assert left(processes) == 12 + before
    post_office.thanks.set()
    processes.run("shell", "-v0", "-c", LATER)
    assert processes.start("housekeeping", EMAIL_URL=url).wait(60) == 0
    names = post_office.names
    assert left(processes) == 0
    assert len({*names}) == 12 + before
    assert names.count(names[0]) == 2
    assert len(names) == 13 + before
