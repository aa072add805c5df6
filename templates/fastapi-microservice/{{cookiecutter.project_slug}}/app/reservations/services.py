"""What may happen to reservations. A reservation is its holder's: for all others it does not exist."""

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, Select, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import now
from app.errors import Invalid, NotFound
from app.outbox.services import emit
from app.products.errors import NotEnoughStock
from app.products.models import Product
from app.products.services import locked, moved
from app.reservations.errors import ReservationClosed
from app.reservations.models import Reservation


def reservations_at(moment: datetime) -> Select[Any]:
    """Reservations and their state at a moment: what is overdue has expired, whoever has noticed or not."""
    overdue = (Reservation.state == "held") & (Reservation.expires_at <= moment)
    fields = (Reservation.id, Reservation.product_id, Reservation.quantity, Reservation.expires_at)
    return select(
        *fields, case((overdue, "expired"), else_=Reservation.state).label("state"), Reservation.created_at
    )


async def reservation(connection: AsyncConnection, reservation_id: int, *, holder: str) -> Row[Any]:
    """A reservation and its state now. Raises NotFound."""
    theirs = (Reservation.id == reservation_id, Reservation.holder == holder)
    found = (await connection.execute(reservations_at(now()).where(*theirs))).one_or_none()
    if found is None:
        raise NotFound("You have no such reservation.")
    return found


async def reservations(
    connection: AsyncConnection, *, holder: str, before: int | None, limit: int
) -> list[Row[Any]]:
    """The holder's newest reservations, and one more than asked for when there are more."""
    question = reservations_at(now()).where(Reservation.holder == holder)
    if before is not None:
        question = question.where(Reservation.id < before)
    return list(await connection.execute(question.order_by(Reservation.id.desc()).limit(limit + 1)))


async def hold(
    connection: AsyncConnection, *, holder: str, product_id: int, quantity: int, lasts: timedelta
) -> Row[Any]:
    """Put some of a product aside. Raises NotEnoughStock, and Invalid when there is no such product."""
    try:
        await locked(connection, product_id)
    except NotFound as error:
        raise Invalid("There is no such product.", pointer="#/product_id") from error
    more = update(Product).where(Product.id == product_id, Product.on_hand - Product.reserved >= quantity)
    if (await connection.execute(more.values(reserved=Product.reserved + quantity))).rowcount == 0:
        raise NotEnoughStock("Less than that is available.")
    moment = now()
    values = {"product_id": product_id, "holder": holder, "quantity": quantity, "state": "held"}
    new = insert(Reservation).values(**values, expires_at=moment + lasts, created_at=moment)
    row = (await connection.execute(new.returning(Reservation))).one()
    await tell(connection, "held", row)
    return row


async def close(
    connection: AsyncConnection, reservation_id: int, *, holder: str, to: Literal["confirmed", "cancelled"]
) -> Row[Any]:
    """Confirm or cancel. Raises NotFound, and ReservationClosed for one that is not held any more."""
    product_id = (await reservation(connection, reservation_id, holder=holder)).product_id
    await locked(connection, product_id)
    held = (Reservation.id == reservation_id, Reservation.state == "held", Reservation.expires_at > now())
    end = update(Reservation).where(*held).values(state=to)
    row = (await connection.execute(end.returning(Reservation))).one_or_none()
    if row is None:
        state = (await reservation(connection, reservation_id, holder=holder)).state
        raise ReservationClosed(f"It is {state}.")
    if to == "confirmed":
        note = f"reservation {reservation_id}"
        await moved(
            connection, product_id, kind="issue", by=-row.quantity, note=note, reservation_id=reservation_id
        )
    else:
        less = update(Product).where(Product.id == product_id)
        await connection.execute(less.values(reserved=Product.reserved - row.quantity))
    await tell(connection, to, row)
    return row


async def tell(connection: AsyncConnection, what: str, row: Row[Any]) -> None:
    """Let others know what became of a reservation."""
    data = {"id": row.id, "product_id": row.product_id, "quantity": row.quantity, "expires_at": row.expires_at}
    await emit(connection, f"reservation.{what}", row.product_id, data)
