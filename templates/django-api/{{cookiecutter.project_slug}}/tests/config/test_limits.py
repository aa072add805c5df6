"""Counting, over processes and threads."""

import threading

import pytest
from django.db import connections

from config.limits import allowed, network
from config.models import Use


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_at_once_exactly_so_many_may(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.limits.time.time", lambda: 1_800_000_000)
    got: list[bool] = []

    def use() -> None:
        got.extend(allowed("x", "198.51.100.7", most=30, seconds=60) for _ in range(5))
        connections.close_all()

    threads = [threading.Thread(target=use) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(True) == 30
    assert Use.objects.get().count == 100
    assert "198.51.100.7" not in Use.objects.get().key


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("", "unknown"),
        ("garbage", "unknown"),
    ],
)
def test_who_has_one_address_of_the_new_kind_has_them_all(address: str, counted: str) -> None:
    assert network(address) == counted
