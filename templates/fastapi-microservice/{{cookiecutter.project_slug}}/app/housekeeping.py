"""What is to be done from time to time: give back what is overdue, forget what nobody asks for any more."""

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select, tuple_

from app.database import Base, Database, now
from app.idempotency.models import StoredAnswer
from app.idempotency.services import KEPT_FOR
from app.limits.models import Allowance
from app.outbox.models import Event
from app.products.services import locked
from app.reservations.models import OVERDUE, Reservation

PUBLISHED_FOR = timedelta(days=7)
MOST_AT_ONCE = 1000  # rows in a transaction: others get their turn, and no statement takes too long


async def sweep(database: Database) -> dict[str, int]:
    """Do it all once; how many rows of each there were."""
    moment = now()
    late = select(Reservation.product_id, func.count()).where(OVERDUE).group_by(Reservation.product_id)
    async with database.read() as connection:
        overdue = dict((await connection.execute(late, {"moment": moment})).all())
    for product_id in sorted(overdue):  # a transaction each: nobody waits for all of them
        async with database.write() as connection:
            await locked(connection, product_id)
    return {
        "overdue reservations": sum(overdue.values()),
        "stored answers": await forget(database, StoredAnswer, StoredAnswer.created_at <= moment - KEPT_FOR),
        "published events": await forget(database, Event, Event.published_at <= moment - PUBLISHED_FOR),
        "allowances": await forget(database, Allowance, Allowance.ends_at <= moment),
    }


async def forget(database: Database, table: type[Base], old: ColumnElement[bool]) -> int:
    """Delete what is old, some at a time; how many there were."""
    key = tuple_(*table.__table__.primary_key)
    some = delete(table).where(key.in_(select(*table.__table__.primary_key).where(old).limit(MOST_AT_ONCE)))
    done, last = 0, MOST_AT_ONCE
    while last == MOST_AT_ONCE:
        async with database.write() as connection:
            last = (await connection.execute(some)).rowcount
        done += last
    return done
