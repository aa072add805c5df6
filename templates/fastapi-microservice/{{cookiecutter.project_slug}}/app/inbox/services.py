"""Orders that others placed: the stock of each is issued once, however often its event comes.

The row in the inbox and what is done because of it are one transaction. A broker forgets after its window whether it
has delivered an event; a table does not.
"""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database, now
from app.errors import NotFound
from app.inbox.models import Received
from app.inbox.schemas import Order, OrderPlaced
from app.outbox.services import emit
from app.products.errors import NotEnoughStock
from app.products.services import move


async def take(database: Database, event: OrderPlaced) -> bool:
    """Do what an order asks for. False when that was done before."""
    async with database.write() as connection:
        row = {"source": event.source, "event_id": event.id, "outcome": "issued", "received_at": now()}
        # Of two at once the second waits here until the first is committed, and then finds its row.
        new = database.insert(Received).values(row).on_conflict_do_nothing().returning(Received.event_id)
        if await connection.scalar(new) is None:
            return False
        if not await issued(connection, event.data):
            this = (Received.source == event.source, Received.event_id == event.id)
            await connection.execute(update(Received).where(*this).values(outcome="refused"))
    return True


async def issued(connection: AsyncConnection, order: Order) -> bool:
    """Take from stock what was ordered. False when it cannot be, of which others learn."""
    facts = {"order": order.order, "product_id": order.product_id, "quantity": order.quantity}
    try:
        await move(connection, order.product_id, kind="issue", quantity=order.quantity, note=f"order {order.order}")
    except (NotFound, NotEnoughStock) as error:
        await emit(connection, "order.refused", order.product_id, facts | {"reason": error.detail})
        return False
    return True
