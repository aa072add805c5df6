"""What may happen to products and their stock.

Whoever changes stock locks the product first and its reservations after it, so that nobody waits for each other.

Statements are made once, when this is imported: to make one costs as much as to ask it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contract import HIGHEST_ID
from app.database import now
from app.errors import NotFound
from app.outbox.services import emit
from app.products.errors import NotEnoughStock, ProductInUse, SkuTaken
from app.products.models import Movement, Product
from app.reservations.models import OVERDUE, Reservation

BY = bindparam("by", type_=Product.on_hand.type)
FREED = bindparam("freed", type_=Product.on_hand.type)

LATE = select(func.coalesce(func.sum(Reservation.quantity), 0)).where(Reservation.product_id == Product.id, OVERDUE)
RESERVED = Product.reserved - LATE.scalar_subquery()
FIELDS = (Product.id, Product.sku, Product.name, Product.on_hand)
TIMES = (Product.created_at, Product.updated_at)
STOCK: Select[*tuple[Any, ...]] = select(
    *FIELDS, *TIMES, RESERVED.label("reserved"), (Product.on_hand - RESERVED).label("available")
)

OF_THIS = Product.id == bindparam("product_id")
ONE = STOCK.where(OF_THIS)
PAGE = STOCK.where(Product.id < bindparam("before")).order_by(Product.id.desc()).limit(bindparam("limit"))
LOCK = select(Product.id).where(OF_THIS).with_for_update()
EXISTS = select(Product.id).where(OF_THIS)
EXPIRE = update(Reservation).where(Reservation.product_id == bindparam("of_product"), OVERDUE).values(state="expired")
EXPIRE = EXPIRE.returning(Reservation.id, Reservation.quantity)
CREATE = insert(Product).returning(Product.id)
CHANGE = update(Product).where(OF_THIS)
REMOVE = delete(Product).where(OF_THIS)
FREE = update(Product).where(OF_THIS).values(reserved=Product.reserved - FREED)
MOVE = update(Product).where(OF_THIS, Product.on_hand + BY >= Product.reserved - FREED)
MOVE = MOVE.values(on_hand=Product.on_hand + BY, reserved=Product.reserved - FREED).returning(Product.on_hand)
NOTE = insert(Movement).returning(Movement)
MOVEMENTS = select(Movement).where(Movement.product_id == bindparam("product_id"), Movement.id < bindparam("before"))
MOVEMENTS = MOVEMENTS.order_by(Movement.id.desc()).limit(bindparam("limit"))


async def product(connection: AsyncConnection, product_id: int) -> Row[Any]:
    """A product and its stock now. Raises NotFound."""
    found: Row[Any] | None = (await connection.execute(ONE, {"product_id": product_id, "moment": now()})).one_or_none()
    if found is None:
        raise NotFound("There is no such product.")
    return found


async def products(connection: AsyncConnection, *, before: int | None, limit: int) -> list[Row[Any]]:
    """The newest products, and one more than asked for when there are more."""
    given = {"before": before or HIGHEST_ID, "limit": limit + 1, "moment": now()}
    return list(await connection.execute(PAGE, given))


async def locked(connection: AsyncConnection, product_id: int) -> None:
    """Keep the product from everybody else until the transaction ends, without what is overdue. Raises NotFound."""
    if await connection.scalar(LOCK, {"product_id": product_id}) is None:
        raise NotFound("There is no such product.")
    await release_overdue(connection, product_id, now())


async def release_overdue(connection: AsyncConnection, product_id: int, moment: datetime) -> None:
    """Give back what overdue reservations of a locked product hold."""
    expired = (await connection.execute(EXPIRE, {"of_product": product_id, "moment": moment})).all()
    if expired:
        await free(connection, product_id, sum(each.quantity for each in expired))
        told = [{"id": each.id, "product_id": product_id, "quantity": each.quantity} for each in sorted(expired)]
        await emit(connection, "reservation.expired", product_id, *told)


async def free(connection: AsyncConnection, product_id: int, quantity: int) -> None:
    """What was put aside of a locked product can be had again."""
    await connection.execute(FREE, {"product_id": product_id, "freed": quantity})


async def create(connection: AsyncConnection, *, sku: str, name: str) -> Row[Any]:
    """A new product, with nothing on hand. Raises SkuTaken."""
    moment = now()
    values = {"sku": sku, "name": name, "created_at": moment, "updated_at": moment}
    try:
        product_id = (await connection.execute(CREATE, values)).scalar_one()
    except IntegrityError as error:
        raise SkuTaken(f"Another product has the SKU {sku}.") from error
    await emit(connection, "product.created", product_id, {"id": product_id, "sku": sku, "name": name})
    return await product(connection, product_id)


async def change(connection: AsyncConnection, product_id: int, changes: dict[str, str]) -> Row[Any]:
    """Another SKU, another name, for a product that is locked. Raises SkuTaken."""
    try:
        await connection.execute(CHANGE.values(**changes, updated_at=now()), {"product_id": product_id})
    except IntegrityError as error:
        raise SkuTaken(f"Another product has the SKU {changes.get('sku')}.") from error
    await emit(connection, "product.changed", product_id, {"id": product_id} | changes)
    return await product(connection, product_id)


async def remove(connection: AsyncConnection, product_id: int) -> None:
    """Delete a product that is locked. Raises ProductInUse for one that ever moved or was put aside."""
    try:
        await connection.execute(REMOVE, {"product_id": product_id})
    except IntegrityError as error:
        raise ProductInUse("What has a history stays: correct its stock to nothing instead.") from error
    await emit(connection, "product.deleted", product_id, {"id": product_id})


async def movements(connection: AsyncConnection, product_id: int, *, before: int | None, limit: int) -> list[Row[Any]]:
    """The newest movements of a product, and one more when there are more. Raises NotFound."""
    given = {"product_id": product_id, "before": before or HIGHEST_ID, "limit": limit + 1}
    rows = list(await connection.execute(MOVEMENTS, given))
    if not rows and await connection.scalar(EXISTS, {"product_id": product_id}) is None:
        raise NotFound("There is no such product.")
    return rows


async def move(connection: AsyncConnection, product_id: int, *, kind: str, quantity: int, note: str) -> Row[Any]:
    """Receive, issue or correct. Raises NotFound, and NotEnoughStock for what is put aside or not there."""
    await locked(connection, product_id)
    by = -quantity if kind == "issue" else quantity
    return await moved(connection, product_id, kind=kind, by=by, note=note)


async def moved(
    connection: AsyncConnection, product_id: int, *, kind: str, by: int, note: str, reservation_id: int | None = None
) -> Row[Any]:
    """Change the number on hand of a locked product, and write down why. Raises NotEnoughStock.

    With a reservation it is what was put aside that goes out.
    """
    freed = 0 if reservation_id is None else -by
    on_hand = await connection.scalar(MOVE, {"product_id": product_id, "by": by, "freed": freed})
    if on_hand is None:
        raise NotEnoughStock("What is put aside can neither be issued nor corrected away.")
    values: dict[str, Any] = {"product_id": product_id, "reservation_id": reservation_id, "kind": kind, "change": by}
    values |= {"on_hand": on_hand, "note": note, "created_at": now()}
    row = (await connection.execute(NOTE, values)).one()
    await emit(connection, "movement.made", product_id, values | {"id": row.id})
    return row
