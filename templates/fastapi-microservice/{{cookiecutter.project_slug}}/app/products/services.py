"""What may happen to products and their stock.

Whoever changes stock locks the product first and its reservations after it, so that nobody waits for each other.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import now
from app.errors import NotFound
from app.outbox.services import emit
from app.products.errors import NotEnoughStock, ProductInUse, SkuTaken
from app.products.models import Movement, Product
from app.reservations.models import Reservation

FIELDS = (Product.id, Product.sku, Product.name, Product.on_hand, Product.created_at, Product.updated_at)


def stock(moment: datetime) -> Select[Any]:
    """Products and what they have at a moment: what is overdue counts no more, whoever has noticed or not."""
    overdue = select(func.coalesce(func.sum(Reservation.quantity), 0)).where(
        Reservation.product_id == Product.id, Reservation.state == "held", Reservation.expires_at <= moment
    )
    reserved = Product.reserved - overdue.scalar_subquery()
    return select(*FIELDS, reserved.label("reserved"), (Product.on_hand - reserved).label("available"))


async def product(connection: AsyncConnection, product_id: int) -> Row[Any]:
    """A product and its stock now. Raises NotFound."""
    found = (await connection.execute(stock(now()).where(Product.id == product_id))).one_or_none()
    if found is None:
        raise NotFound("There is no such product.")
    return found


async def products(connection: AsyncConnection, *, before: int | None, limit: int) -> list[Row[Any]]:
    """The newest products, and one more than asked for when there are more."""
    question = stock(now()).order_by(Product.id.desc()).limit(limit + 1)
    if before is not None:
        question = question.where(Product.id < before)
    return list(await connection.execute(question))


async def locked(connection: AsyncConnection, product_id: int) -> None:
    """Keep the product from everybody else until the transaction ends, without what is overdue. Raises NotFound."""
    lock = select(Product.id).where(Product.id == product_id).with_for_update()
    if await connection.scalar(lock) is None:
        raise NotFound("There is no such product.")
    await release_overdue(connection, product_id, now())


async def release_overdue(connection: AsyncConnection, product_id: int, moment: datetime) -> int:
    """Give back what overdue reservations of a locked product hold; how many there were."""
    late = (Reservation.product_id == product_id, Reservation.state == "held", Reservation.expires_at <= moment)
    expire = update(Reservation).where(*late).values(state="expired")
    expired = (await connection.execute(expire.returning(Reservation.id, Reservation.quantity))).all()
    if expired:
        quantity = sum(each.quantity for each in expired)
        less = update(Product).where(Product.id == product_id).values(reserved=Product.reserved - quantity)
        await connection.execute(less)
        for each in sorted(expired):
            data = {"id": each.id, "product_id": product_id, "quantity": each.quantity}
            await emit(connection, "reservation.expired", product_id, data)
    return len(expired)


async def create(connection: AsyncConnection, *, sku: str, name: str) -> Row[Any]:
    """A new product, with nothing on hand. Raises SkuTaken."""
    moment = now()
    new = insert(Product).values(sku=sku, name=name, on_hand=0, reserved=0, created_at=moment, updated_at=moment)
    try:
        product_id = await connection.scalar(new.returning(Product.id))
    except IntegrityError as error:
        raise SkuTaken(f"Another product has the SKU {sku}.") from error
    assert product_id is not None
    await emit(connection, "product.created", product_id, {"id": product_id, "sku": sku, "name": name})
    return await product(connection, product_id)


async def change(connection: AsyncConnection, product_id: int, changes: dict[str, str]) -> Row[Any]:
    """Another SKU, another name, for a product that is locked. Raises SkuTaken."""
    new = update(Product).where(Product.id == product_id).values(**changes, updated_at=now())
    try:
        await connection.execute(new)
    except IntegrityError as error:
        raise SkuTaken(f"Another product has the SKU {changes.get('sku')}.") from error
    await emit(connection, "product.changed", product_id, {"id": product_id} | changes)
    return await product(connection, product_id)


async def remove(connection: AsyncConnection, product_id: int) -> None:
    """Delete a product that is locked. Raises ProductInUse for one that ever moved or was put aside."""
    try:
        await connection.execute(delete(Product).where(Product.id == product_id))
    except IntegrityError as error:
        raise ProductInUse("What has a history stays: correct its stock to nothing instead.") from error
    await emit(connection, "product.deleted", product_id, {"id": product_id})


async def movements(
    connection: AsyncConnection, product_id: int, *, before: int | None, limit: int
) -> list[Row[Any]]:
    """The newest movements of a product, and one more when there are more. Raises NotFound."""
    question = select(Movement).where(Movement.product_id == product_id).order_by(Movement.id.desc()).limit(limit + 1)
    if before is not None:
        question = question.where(Movement.id < before)
    rows = list(await connection.execute(question))
    if not rows and await connection.scalar(select(Product.id).where(Product.id == product_id)) is None:
        raise NotFound("There is no such product.")
    return rows


async def move(
    connection: AsyncConnection, product_id: int, *, kind: Literal["receive", "issue", "correct"], quantity: int, note: str
) -> Row[Any]:
    """Receive, issue or correct. Raises NotFound, and NotEnoughStock for what is put aside or not there."""
    await locked(connection, product_id)
    by = -quantity if kind == "issue" else quantity
    return await moved(connection, product_id, kind=kind, by=by, note=note)


async def moved(
    connection: AsyncConnection,
    product_id: int,
    *,
    kind: str,
    by: int,
    note: str,
    reservation_id: int | None = None,
) -> Row[Any]:
    """Change the number on hand of a locked product, and write down why. Raises NotEnoughStock.

    With a reservation it is what was put aside that goes out.
    """
    freed = by if reservation_id is not None else 0
    more = update(Product).where(Product.id == product_id, Product.on_hand + by >= Product.reserved + freed)
    more = more.values(on_hand=Product.on_hand + by, reserved=Product.reserved + freed)
    on_hand = await connection.scalar(more.returning(Product.on_hand))
    if on_hand is None:
        raise NotEnoughStock("What is put aside can neither be issued nor corrected away.")
    values = {
        "product_id": product_id,
        "reservation_id": reservation_id,
        "kind": kind,
        "change": by,
        "on_hand": on_hand,
        "note": note,
        "created_at": now(),
    }
    row = (await connection.execute(insert(Movement).values(values).returning(Movement))).one()
    said = values | {"id": row.id}
    await emit(connection, "movement.made", product_id, said)
    return row
