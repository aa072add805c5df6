"""What may happen to reservations. A reservation is its holder's: for all others it does not exist."""

from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Row, bindparam, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contract import HIGHEST_ID
from app.database import now
from app.errors import NotFound
from app.outbox.services import emit
from app.products.errors import NotEnoughStock
from app.products.models import Product
from app.products.services import OF_THIS, free, locked, moved
from app.reservations.errors import ReservationClosed
from app.reservations.models import MOMENT, OVERDUE, Reservation

QUANTITY = bindparam("quantity", type_=Product.reserved.type)

STATE = case((OVERDUE, "expired"), else_=Reservation.state).label("state")
FIELDS = (Reservation.id, Reservation.product_id, Reservation.quantity, Reservation.expires_at, Reservation.created_at)
THEIRS = select(*FIELDS, STATE).where(Reservation.holder == bindparam("holder"))

ONE = THEIRS.where(Reservation.id == bindparam("reservation_id"))
PAGE = THEIRS.where(Reservation.id < bindparam("before")).order_by(Reservation.id.desc()).limit(bindparam("limit"))
TAKE = update(Product).where(OF_THIS, Product.on_hand - Product.reserved >= QUANTITY)
TAKE = TAKE.values(reserved=Product.reserved + QUANTITY)
HOLD = insert(Reservation).returning(Reservation)
CLOSE = update(Reservation).where(Reservation.id == bindparam("reservation_id"), Reservation.state == "held")
CLOSE = CLOSE.where(Reservation.expires_at > MOMENT).values(state=bindparam("to")).returning(Reservation)


async def reservation(connection: AsyncConnection, reservation_id: int, *, holder: str) -> Row[Any]:
    """A reservation and its state now. Raises NotFound."""
    given = {"reservation_id": reservation_id, "holder": holder, "moment": now()}
    found = (await connection.execute(ONE, given)).one_or_none()
    if found is None:
        raise NotFound("You have no such reservation.")
    return found


async def reservations(connection: AsyncConnection, *, holder: str, before: int | None, limit: int) -> list[Row[Any]]:
    """The holder's newest reservations, and one more than asked for when there are more."""
    given = {"holder": holder, "before": before or HIGHEST_ID, "limit": limit + 1, "moment": now()}
    return list(await connection.execute(PAGE, given))


async def hold(
    connection: AsyncConnection, *, holder: str, product_id: int, quantity: int, lasts: timedelta
) -> Row[Any]:
    """Put some of a product aside. Raises NotFound and NotEnoughStock."""
    await locked(connection, product_id)
    if (await connection.execute(TAKE, {"product_id": product_id, "quantity": quantity})).rowcount == 0:
        raise NotEnoughStock("Less than that is available.")
    moment = now()
    values = {"product_id": product_id, "holder": holder, "quantity": quantity, "state": "held"}
    values |= {"expires_at": moment + lasts, "created_at": moment}
    row = (await connection.execute(HOLD, values)).one()
    await tell(connection, "held", row)
    return row


async def close(
    connection: AsyncConnection, reservation_id: int, *, holder: str, to: Literal["confirmed", "cancelled"]
) -> Row[Any]:
    """Confirm or cancel. Raises NotFound, and ReservationClosed for one that is not held any more."""
    product_id = (await reservation(connection, reservation_id, holder=holder)).product_id
    await locked(connection, product_id)
    given = {"reservation_id": reservation_id, "to": to, "moment": now()}
    row = (await connection.execute(CLOSE, given)).one_or_none()
    if row is None:
        state = (await reservation(connection, reservation_id, holder=holder)).state
        raise ReservationClosed(f"It is {state}.")
    if to == "confirmed":
        note = f"reservation {reservation_id}"
        await moved(connection, product_id, kind="issue", by=-row.quantity, note=note, reservation_id=reservation_id)
    else:
        await free(connection, product_id, row.quantity)
    await tell(connection, to, row)
    return row


async def tell(connection: AsyncConnection, what: str, row: Row[Any]) -> None:
    """Let others know what became of a reservation."""
    data = {"id": row.id, "product_id": row.product_id, "quantity": row.quantity, "expires_at": row.expires_at}
    await emit(connection, f"reservation.{what}", row.product_id, data)
