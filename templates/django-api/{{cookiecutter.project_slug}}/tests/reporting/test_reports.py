"""Reports: ordered, made by a worker of its own, and made once, whoever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from reporting import services
from reporting.models import Report, State
from reservations.models import Reservation
from stock.models import Product
from stock.services import differences
from tests.callers import Caller
from tests.processes import PROJECT, Processes, new_database
from tests.together import together


def test_a_report_is_queued_and_nobody_makes_it_while_one_waits(ada: Caller, grace: Caller) -> None:
    ordered = ada.ask("POST", "reports", Idempotency_Key="k")
    assert (ordered.status_code, ordered["Retry-After"]) == (202, "1")
    assert ordered.json()["state"] == "queued"
    assert ada.ask("POST", "reports", Idempotency_Key="k").content == ordered.content
    path = ordered["Location"].removeprefix("/api/v1/")
    answer = ada.ask("GET", path)
    assert (answer.json()["state"], answer.json()["result"], answer["Retry-After"]) == ("queued", None, "1")
    assert grace.ask("GET", path).status_code == 404
    assert Caller("x", "stock:write").ask("POST", "reports").status_code == 403
    assert Report.objects.count() == 1


def test_a_worker_adds_everything_up(ada: Caller) -> None:
    products = [ada.product(on_hand=many) for many in (5, 7)]
    for product in products:
        ada.holds(product, 2)
    Reservation.objects.filter(product=products[0]).update(expires_at=timezone.now() - timedelta(seconds=1))
    Product.objects.filter(pk=products[1]).update(on_hand=8)
    path = ada.ask("POST", "reports")["Location"].removeprefix("/api/v1/")
    call_command("report_worker", "--batch")
    answer = ada.ask("GET", path)
    assert "Retry-After" not in answer
    report = answer.json()
    assert (report["state"], report["finished_at"] >= report["created_at"]) == ("done", True)
    assert report["result"] == {"products": 2, "on_hand": 13, "reserved": 2, "differing": [products[1]]}


def test_an_empty_stock_is_added_up_too(ada: Caller) -> None:
    assert services.added_up() == {"products": 0, "on_hand": 0, "reserved": 0, "differing": []}


def test_one_that_breaks_has_failed_and_the_next_is_made(ada: Caller) -> None:
    paths = [ada.ask("POST", "reports")["Location"].removeprefix("/api/v1/") for _ in range(2)]

    def breaks() -> dict[str, Any]:
        raise RuntimeError

    assert services.work(breaks)
    assert services.work(lambda: {"products": 0, "on_hand": 0, "reserved": 0, "differing": []})
    assert not services.work(breaks)
    assert [ada.gets(path)["state"] for path in paths] == ["failed", "done"]


def test_who_comes_back_after_the_lease_and_first_is_heard(ada: Caller) -> None:
    ada.ask("POST", "reports")
    slow = services.claim()
    assert slow
    assert services.claim() is None
    Report.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = services.claim()
    assert second
    assert second.pk == slow.pk
    assert services.finish(slow, State.DONE, {"products": 1}), "it would never end, where it takes longer than a lease"
    assert not services.finish(second, State.DONE, {"products": 2})
    assert Report.objects.get().result == {"products": 1}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer; tested with --database postgresql")
@pytest.mark.django_db(transaction=True)
def test_while_one_worker_claims_the_other_takes_the_next_and_does_not_wait(committed: None) -> None:
    ada = Caller("ada", "stock:read")
    for _ in range(2):
        assert ada.ask("POST", "reports").status_code == 202
    with transaction.atomic():
        first = services.claim()
        (second,) = together(lambda _: services.claim(), 1)
    assert first
    assert second
    assert first.pk < second.pk
    assert {*Report.objects.values_list("state", "attempt")} == {("running", 1)}


def test_one_that_kills_every_worker_is_given_up(ada: Caller) -> None:
    ada.ask("POST", "reports")
    for _ in range(services.ATTEMPTS):
        assert services.claim()
        Report.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.work(dict)
    assert Report.objects.get().state == "failed"
    assert not services.work(dict)


def test_a_database_that_goes_ends_no_worker(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    calls = iter([OperationalError("gone"), False])

    def work(_: object) -> bool:
        found = next(calls)
        if isinstance(found, Exception):
            raise found
        return bool(found)

    monkeypatch.setattr("reporting.management.commands.report_worker.work", work)
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    call_command("report_worker", "--batch")


def test_old_ones_are_forgotten(ada: Caller) -> None:
    ada.ask("POST", "reports")
    call_command("housekeeping")
    assert Report.objects.count() == 1
    Report.objects.update(created_at=timezone.now() - services.KEPT)
    call_command("housekeeping")
    assert Report.objects.count() == 0


# A worker that has claimed a report and does not come to its end.
HANGS = """
import time
from reporting import services
def hang():
    print("claimed", flush=True)
    time.sleep(600)
services.work(hang)
"""
ORDER = "from reporting.services import order; print('ordered', order(by='ada').pk)"
STATE = "from reporting.models import Report; r = Report.objects.get(pk={}); print('now', r.state, r.attempt)"


@pytest.fixture
def apart(processes: Processes, tmp_path: Path) -> Iterator[Processes]:
    """A database of its own: beside no other worker, which would take the report first."""
    with new_database(tmp_path) as url:
        own = Processes(processes.env | {"DATABASE_URL": url})
        own.run("migrate", "-v0")
        yield own


def test_a_worker_is_killed_in_the_middle_and_the_report_is_made_once(apart: Processes) -> None:
    ordered = apart.run("shell", "-v0", "-c", ORDER).split()[1]
    env = apart.env | {"REPORT_LEASE": "2"}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", HANGS]
    dying = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True)
    assert dying.stdout
    assert dying.stdout.readline() == "claimed\n"
    state = STATE.format(ordered)
    assert apart.run("shell", "-v0", "-c", state).split() == ["now", "running", "1"]
    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    dying.stdout.close()
    workers = [apart.start("report_worker", "--interval", "0.1", REPORT_LEASE="2") for _ in range(2)]
    deadline = time.monotonic() + 30
    while apart.run("shell", "-v0", "-c", state).split()[1] != "done":
        assert time.monotonic() < deadline
    for worker in workers:
        worker.terminate()
        assert worker.wait(20) == 0
    assert apart.run("shell", "-v0", "-c", state).split() == ["now", "done", "2"]


@pytest.mark.django_db(transaction=True)
def test_a_report_keeps_nobody_from_writing(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    product = Caller("ada", "stock:read stock:write").product(on_hand=5)

    def write(_: int) -> int:
        status: int = Caller("ada", "stock:read stock:write").moves(product, "receive", 1).status_code
        return status

    def written() -> dict[int, tuple[int, int]]:
        assert together(write, 1) == [201]
        return differences()

    monkeypatch.setattr(services, "differences", written)
    assert services.added_up()["differing"] == []


def test_a_report_asks_twice_however_many_products_there_are(ada: Caller, django_assert_num_queries: Any) -> None:
    ids = [ada.product(on_hand=1) for _ in range(5)]
    Product.objects.filter(pk=ids[0]).update(on_hand=3)
    # * the sums * those that differ
    with django_assert_num_queries(2):
        assert services.added_up()["differing"] == [ids[0]]
    assert differences() == {ids[0]: (3, 1)}
