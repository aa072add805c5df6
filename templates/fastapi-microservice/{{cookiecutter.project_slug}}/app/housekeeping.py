"""What is to be done from time to time: give back what is overdue, forget what nobody asks for any more."""

from datetime import timedelta

from sqlalchemy import delete, select

from app.database import Database, now
from app.idempotency.models import StoredAnswer
from app.idempotency.services import KEPT_FOR
from app.limits.models import Allowance
from app.outbox.models import Event
from app.products.services import locked
from app.reservations.models import Reservation

PUBLISHED_FOR = timedelta(days=7)


async def sweep(database: Database) -> dict[str, int]:
    """Do it all once; how many rows of each there were."""
    moment = now()
    late = select(Reservation.product_id).where(Reservation.state == "held", Reservation.expires_at <= moment)
    async with database.read() as connection:
        overdue = [each.product_id for each in await connection.execute(late)]
    for product_id in sorted({*overdue}):  # a transaction each: nobody waits for all of them
        async with database.write() as connection:
            await locked(connection, product_id)
    done = {"overdue reservations": len(overdue)}
    for words, old in (
        ("stored answers", delete(StoredAnswer).where(StoredAnswer.created_at <= moment - KEPT_FOR)),
        ("published events", delete(Event).where(Event.published_at <= moment - PUBLISHED_FOR)),
        ("allowances", delete(Allowance).where(Allowance.ends_at <= moment)),
    ):
        async with database.write() as connection:
            done[words] = (await connection.execute(old)).rowcount
    return done
