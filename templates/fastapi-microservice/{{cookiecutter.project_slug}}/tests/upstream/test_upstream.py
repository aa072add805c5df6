"""A supplier's troubles are not ours."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest

from app.settings import Settings
from app.upstream import client
from app.upstream.client import Supplier
from app.upstream.errors import SupplierUnavailable
from tests.conftest import Connect, a_product, serving
from tests.upstream.supplier import Double, supplier

CHRISTMAS = datetime(2026, 12, 24, 8, tzinfo=UTC)


@pytest.fixture
def double() -> Iterator[Double]:
    with supplier() as made:
        yield made


async def test_it_says_when_more_comes(
    double: Double, settings: Settings, program: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPPLIER_URL", double.url)
    async with serving(settings) as address:
        reader = await program(at=address)
        product = await a_product(reader, sku="TEA-GREEN-100")
        path = f"/api/v1/products/{product['id']}/supply"
        answer = await reader.get(path)
        assert answer.json() == {"sku": "TEA-GREEN-100", "expected_at": "2026-12-24T08:00:00Z"}
        assert double.asked == ["/deliveries/TEA-GREEN-100"]
        assert (await reader.get("/api/v1/products/999999/supply")).status_code == 404
        double.status = 404
        assert (await reader.get(path)).json()["expected_at"] is None
        double.status = 500
        refused = await reader.get(path)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/supplier-unavailable")
        assert refused.headers["retry-after"]


async def test_without_a_supplier_nobody_is_asked(writer: httpx2.AsyncClient) -> None:
    product = await a_product(writer)
    assert (await writer.get(f"/api/v1/products/{product['id']}/supply")).status_code == 404


async def test_a_failure_that_passes_is_not_seen(double: Double) -> None:
    double.failures = 2
    async with Supplier.at(double.url) as asked:
        assert await asked.expected_at("A") == CHRISTMAS
    assert len(double.asked) == 3


async def test_a_supplier_that_hangs_is_cut_by_the_deadline(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE", 0.3)
    double.seconds = 3
    async with Supplier.at(double.url) as asked:
        began = time.monotonic()
        with pytest.raises(SupplierUnavailable):
            await asked.expected_at("A")
        assert time.monotonic() - began < 1


async def test_one_that_is_down_is_not_asked_three_times_by_everybody(double: Double) -> None:
    double.status = 500
    async with Supplier.at(double.url) as asked:
        for _ in range(50):
            with pytest.raises(SupplierUnavailable):
                await asked.expected_at("A")
    assert 60 <= len(double.asked) <= 65, "50 questions, and the retries that the budget had"


async def test_no_more_than_so_many_questions_are_under_way(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "AT_ONCE", 4)
    double.seconds = 0.05
    async with Supplier.at(double.url) as asked:
        assert await asyncio.gather(*(asked.expected_at("A") for _ in range(20))) == [CHRISTMAS] * 20
    assert double.busiest <= 4


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b'{"expected_at": "tomorrow"}'])
async def test_nonsense_is_no_answer(double: Double, body: bytes) -> None:
    double.body = body
    async with Supplier.at(double.url) as asked:
        with pytest.raises(SupplierUnavailable):
            await asked.expected_at("A")


async def test_nobody_there_is_said_in_time() -> None:
    async with Supplier.at("http://127.0.0.1:1") as asked:
        with pytest.raises(SupplierUnavailable):
            await asked.expected_at("A")
