"""Products over HTTP: what each asks of the database, and what the contract's own suite cannot see."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event, text

from app.database import Database
from tests.conftest import a_hold, a_product, once, overdue


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile, in this process, without BEGIN and COMMIT."""
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        if not arguments[2].startswith("BEGIN"):
            asked.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


ANY = {"If-Match": "*"}
RECEIVE = {"kind": "receive", "quantity": 1}

type Call = Callable[[httpx2.AsyncClient, int, int], Any]

# What each operation asks. With an idempotency key: whether it was answered before (on PostgreSQL also whether somebody
# else is at it), and to keep the answer. What changes stock locks its product, and looks what is overdue.
CALLS: dict[str, tuple[int, Call]] = {
    "list products": (1, lambda client, _p, _r: client.get("/api/v1/products")),
    "read a product": (1, lambda client, p, _r: client.get(f"/api/v1/products/{p}")),
    "list movements": (1, lambda client, p, _r: client.get(f"/api/v1/products/{p}/movements")),
    "list reservations": (1, lambda client, _p, _r: client.get("/api/v1/reservations")),
    "read a reservation": (1, lambda client, _p, r: client.get(f"/api/v1/reservations/{r}")),
    # insert, event, read
    "create": (3, lambda client, _p, _r: client.post("/api/v1/products", json={"sku": "COUNTED", "name": "Tea"})),
    # lock, overdue, compare; update, event, read
    "change": (6, lambda client, p, _r: client.patch(f"/api/v1/products/{p}", json={"name": "T"}, headers=ANY)),
    # lock, overdue, compare; delete, event
    "delete": (5, lambda client, p, _r: client.delete(f"/api/v1/products/{p}", headers=ANY)),
    # key; lock, overdue, update, movement, event; keep
    "move": (7, lambda client, p, _r: client.post(f"/api/v1/products/{p}/movements", json=RECEIVE, headers=once())),
    # key; lock, overdue, update, reservation, event; keep
    "hold": (7, lambda client, p, _r: client.post("/api/v1/reservations", json=held(p), headers=once())),
    # key; whose, lock, overdue, close; update, movement, event; event; keep
    "confirm": (10, lambda client, _p, r: client.post(f"/api/v1/reservations/{r}/confirm", headers=once())),
    # key; whose, lock, overdue, close; update, event; keep
    "cancel": (8, lambda client, _p, r: client.post(f"/api/v1/reservations/{r}/cancel", headers=once())),
}


def held(product_id: int) -> dict[str, int]:
    return {"product_id": product_id, "quantity": 1}


@pytest.mark.parametrize("name", CALLS)
async def test_each_operation_asks_so_much_and_no_more(
    writer: httpx2.AsyncClient, on_postgresql: bool, name: str
) -> None:
    expected, call = CALLS[name]
    for _ in range(5):
        product = await a_product(writer, on_hand=5)
        reservation = await a_hold(writer, product)
    if name == "delete":
        product = await a_product(writer)
    with statements() as asked:
        answer = await call(writer, product["id"], reservation["id"])
    assert answer.status_code < 300, answer.text
    with_key = name in ("move", "hold", "confirm", "cancel")
    assert len(asked) == expected + (on_postgresql and with_key), asked


async def test_what_is_overdue_counts_no_more_before_anybody_has_noticed(
    writer: httpx2.AsyncClient, database: Database
) -> None:
    product = await a_product(writer, on_hand=3)
    reservation = await a_hold(writer, product, 3)
    await overdue(database, reservation)
    seen = (await writer.get(f"/api/v1/products/{product['id']}")).json()
    assert (seen["on_hand"], seen["reserved"], seen["available"]) == (3, 0, 3)
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT reserved FROM products")) == 3, "it was read, not written"


async def test_two_who_change_what_both_have_read_do_not_overwrite_each_other(writer: httpx2.AsyncClient) -> None:
    product = await a_product(writer)
    path = f"/api/v1/products/{product['id']}"
    headers = {"If-Match": (await writer.get(path)).headers["etag"]}
    answers = await asyncio.gather(
        *(writer.patch(path, json={"name": f"Tea {number}"}, headers=headers) for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


async def test_an_id_is_never_given_again(writer: httpx2.AsyncClient) -> None:
    first = await a_product(writer)
    assert (await writer.delete(f"/api/v1/products/{first['id']}", headers=ANY)).status_code == 204
    assert (await a_product(writer))["id"] > first["id"]
