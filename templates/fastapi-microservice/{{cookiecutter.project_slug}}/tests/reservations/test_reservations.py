"""Reservations: never more than there is, by any number of callers and in any number of processes."""

import asyncio

import httpx2
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how_often
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select

from app import housekeeping
from app.database import Database, now
from app.housekeeping import sweep
from app.limits.models import Allowance
from app.outbox.models import Event
from app.products.models import Movement, Product
from app.products.services import locked
from app.reservations.models import Reservation
from app.settings import Settings
from tests.conftest import BOTH, Connect, a_hold, a_product, once, overdue, serving


async def adds_up(database: Database) -> None:
    """What must be true at any moment."""
    async with database.read() as connection:
        for product in await connection.execute(select(Product)):
            of_it = (Reservation.product_id == product.id, Reservation.state == "held")
            held = await connection.scalar(select(func.coalesce(func.sum(Reservation.quantity), 0)).where(*of_it))
            moved = select(func.coalesce(func.sum(Movement.change), 0)).where(Movement.product_id == product.id)
            assert product.reserved == held
            assert product.on_hand == await connection.scalar(moved)
            assert 0 <= product.reserved <= product.on_hand


async def test_of_thirty_only_so_many_get_something_as_there_is(
    settings: Settings, program: Connect, database: Database
) -> None:
    """Through two servers, which know of each other by the database only."""
    async with serving(settings) as one, serving(settings) as two:
        clients = [await program(BOTH, at=one), await program(BOTH, at=two, name="other")]
        product = await a_product(clients[0], on_hand=7)
        body = {"product_id": product["id"], "quantity": 1}
        answers = await asyncio.gather(
            *(clients[n % 2].post("/api/v1/reservations", json=body, headers=once()) for n in range(30))
        )
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(201), statuses.count(409)) == (7, 23)
        await adds_up(database)


async def test_a_reservation_is_confirmed_or_cancelled_once(writer: httpx2.AsyncClient, database: Database) -> None:
    product = await a_product(writer, on_hand=5)
    reservation = await a_hold(writer, product, 2)
    path = f"/api/v1/reservations/{reservation['id']}"
    answers = await asyncio.gather(
        *(writer.post(f"{path}/{end}", headers=once()) for end in ("confirm", "cancel") * 10)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    await adds_up(database)


async def test_what_is_overdue_can_be_had_again_and_no_more_confirmed(
    writer: httpx2.AsyncClient, database: Database
) -> None:
    product = await a_product(writer, on_hand=1)
    late = await a_hold(writer, product)
    await overdue(database, late)
    assert (await writer.get(f"/api/v1/reservations/{late['id']}")).json()["state"] == "expired"
    answer = await writer.post(f"/api/v1/reservations/{late['id']}/confirm", headers=once())
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/reservation-closed")
    assert (await a_hold(writer, product))["state"] == "held"
    await adds_up(database)


async def test_a_product_with_many_overdue_holds_costs_as_many_statements_as_with_one(
    writer: httpx2.AsyncClient, database: Database
) -> None:
    product = await a_product(writer, on_hand=20)
    for reservation in [await a_hold(writer, product) for _ in range(20)]:
        await overdue(database, reservation)
    asked = list[str]()
    async with database.write() as connection:
        event.listen(connection.sync_connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        await locked(connection, product["id"])
    assert len(asked) == 4, "lock, expire, free, and one for all events"
    async with database.read() as connection:
        expired = select(func.count()).select_from(Event).where(Event.type == "stock.reservation.expired.v1")
        assert await connection.scalar(expired) == 20


async def test_a_sweep_deletes_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "MOST_AT_ONCE", 3)
    for number in range(7):
        values = {"holder": f"caller-{number}", "policy": "q=1;w=1", "taken": 1, "ends_at": now()}
        async with database.write() as connection:
            await connection.execute(insert(Allowance).values(values))
    assert (await sweep(database))["allowances"] >= 7, "other tests leave some"
    async with database.read() as connection:
        left = select(func.count()).select_from(Allowance).where(Allowance.policy == "q=1;w=1")
        assert await connection.scalar(left) == 0


async def test_a_sweep_gives_back_what_nobody_asks_for(writer: httpx2.AsyncClient, database: Database) -> None:
    for _ in range(3):
        await overdue(database, await a_hold(writer, await a_product(writer, on_hand=1)))
    await a_hold(writer, await a_product(writer, on_hand=1))
    done = await sweep(database)
    assert done["overdue reservations"] == 3
    async with database.read() as connection:
        assert await connection.scalar(select(func.sum(Product.reserved))) == 1
        expired = select(func.count()).where(Event.type == "stock.reservation.expired.v1")
        assert await connection.scalar(expired) == 3
    assert (await sweep(database))["overdue reservations"] == 0
    await adds_up(database)


STEPS = st.lists(
    st.tuples(st.sampled_from(["receive", "issue", "hold", "confirm", "cancel", "late"]), st.integers(1, 9)),
    min_size=1,
    max_size=25,
)


@how_often(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_whatever_is_done_it_adds_up(
    writer: httpx2.AsyncClient, database: Database, steps: list[tuple[str, int]]
) -> None:
    """By a model of three lines: what there is, and what is held of it."""
    product = await a_product(writer)
    on_hand, holds = 0, dict[int, int]()
    for what, number in steps:
        some = next(iter(holds), None)
        if what in ("receive", "issue"):
            body = {"kind": what, "quantity": number}
            answer = await writer.post(f"/api/v1/products/{product['id']}/movements", json=body, headers=once())
            by = number if what == "receive" else -number
            assert answer.status_code == (201 if on_hand + by >= sum(holds.values()) else 409)
            on_hand += by if answer.status_code == 201 else 0
        elif what == "hold":
            body = {"product_id": product["id"], "quantity": number}
            answer = await writer.post("/api/v1/reservations", json=body, headers=once())
            assert answer.status_code == (201 if number <= on_hand - sum(holds.values()) else 409)
            if answer.status_code == 201:
                holds[answer.json()["id"]] = number
        elif some is not None:
            if what == "late":
                await overdue(database, {"id": some})
            else:
                assert (await writer.post(f"/api/v1/reservations/{some}/{what}", headers=once())).status_code == 200
                on_hand -= holds[some] if what == "confirm" else 0
            del holds[some]
        seen = (await writer.get(f"/api/v1/products/{product['id']}")).json()
        assert (seen["on_hand"], seen["available"]) == (on_hand, on_hand - sum(holds.values()))
    await adds_up(database)
