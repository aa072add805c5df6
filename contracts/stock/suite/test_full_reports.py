"""A report: ordered now, made by somebody else, read later."""

import time
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from . import contract
from .caller import Caller, Json, together
from .conftest import calling


@pytest.fixture(scope="session")
def caller(judged: dict[str, Any]) -> Iterator[Caller]:
    """Who may read and write, and knows full.yaml."""
    yield from calling(judged, contract.full(), "writer")


def made(caller: Caller, report: Json) -> Json:
    """The report, when it is done."""
    deadline = time.monotonic() + 60
    while True:
        read = caller.gets("readReport", report_id=report["id"])
        if read.json()["state"] in ("done", "failed"):
            assert "Retry-After" not in read.headers
            return dict(read.json())
        assert int(read.headers["Retry-After"]) >= 1
        assert read.json()["result"] is None
        assert time.monotonic() < deadline, "The report is not made."
        time.sleep(0.1)


def test_a_report_is_ordered_and_made(caller: Caller) -> None:
    before = made(caller, caller.reads("orderReport", 202))["result"]
    product = caller.product(on_hand=7)
    caller.holds(product["id"], 2)
    ordered = caller.gets("orderReport", 202)
    assert ordered.json() | {"finished_at": None, "result": None} == ordered.json()
    assert ordered.json()["state"] == "queued"
    assert caller.http.get(ordered.headers["Location"]).json()["id"] == ordered.json()["id"]
    report = made(caller, ordered.json())
    assert report["state"] == "done"
    assert report["finished_at"] >= report["created_at"]
    assert report["result"]["products"] >= before["products"] + 1
    assert report["result"]["on_hand"] >= before["on_hand"] + 7 > 0
    assert report["result"]["reserved"] >= 2
    assert report["result"]["differing"] == []


def test_one_order_is_one_report(caller: Caller) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    answers = together(*[partial(caller.ask, "orderReport", headers=headers)] * 10)
    done = [each for each in answers if each.status_code == 202]
    assert done
    assert {each.status_code for each in answers} <= {202, 409}
    assert len({each.content for each in [*done, caller.gets("orderReport", 202, headers=headers)]}) == 1


def test_a_report_is_its_orderers_alone(judged: dict[str, Any], caller: Caller) -> None:
    report = caller.reads("orderReport", 202)
    with (other := Caller(judged["url"], caller.contract, judged["tokens"]["other"])).http:
        other.refused("readReport", "not-found", report_id=report["id"])
    with (nobody := Caller(judged["url"], caller.contract, judged["tokens"]["nobody"])).http:
        nobody.refused("orderReport", "forbidden")
        nobody.refused("readReport", "forbidden", report_id=report["id"])
    caller.refused("readReport", "not-found", report_id=2**62)
    caller.refused("readReport", "not-found", report_id="tea")


def test_a_report_is_made_while_nobody_waits_and_others_are_served(caller: Caller) -> None:
    reports = [caller.reads("orderReport", 202) for _ in range(5)]
    for _ in range(5):
        caller.gets("listProducts", query={"limit": 1})
    assert {made(caller, each)["state"] for each in reports} == {"done"}
