"""The relay: publishes what is in the outbox, at least once, and what belongs to one product in order.

On PostgreSQL any number of them may run. Each claims products by the first event of theirs that waits, and takes what
follows; while it holds that row nobody else can take an event of that product. When it dies its claims are gone with
its connection, and what was published without being marked is published again, under the same id.

On SQLite there is no such claim, for its only lock would keep everybody from writing while the broker takes its time:
run one relay there.
"""

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import nullcontext, suppress
from typing import Any, Protocol

from sqlalchemy import Row, exists, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from app.database import Database, now
from app.outbox.models import Event

logger = logging.getLogger(__name__)

SOURCE = "/stock"
MOST_AT_ONCE = 100
LOOK_EVERY = 0.25  # seconds, while there is nothing to do
LONGEST_PAUSE = 30.0  # seconds, while the broker or the database is gone
LONGEST_BATCH = 8.0  # seconds; PostgreSQL ends a transaction that is idle for longer than twice a request's deadline
GONE = (OSError, TimeoutError)


class Publisher(Protocol):
    """Where events go. What it does raises OSError or TimeoutError when that is gone, and anything else for an event
    that it can never take.
    """

    async def ready(self) -> None:
        """Return when it can be published: nothing is claimed before."""

    async def publish(self, event: Row[Any]) -> None:
        """Return when the event is safe there."""

    async def close(self) -> None:
        """Leave."""


def cloud_event(row: Row[Any]) -> dict[str, Any]:
    """A row as CloudEvents 1.0 has it, in structured JSON."""
    event = {
        "specversion": "1.0",
        "id": row.event_id,
        "source": SOURCE,
        "type": row.type,
        "subject": f"products/{row.product_id}",
        "time": row.occurred_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": json.loads(row.data),
    }
    return event | {"traceparent": row.traceparent} if row.traceparent else event


async def run(database: Database, publisher: Publisher, stop: asyncio.Event) -> None:
    """Publish until told to stop. Whatever is gone is waited for."""
    pause = LOOK_EVERY
    aside: dict[int, float] = {}
    while not stop.is_set():
        try:
            await publisher.ready()
            done = await publish_some(database, publisher, aside)
            pause = LOOK_EVERY
        except (SQLAlchemyError, *GONE) as error:
            done, pause = 0, min(2 * pause, LONGEST_PAUSE)
            # What a database says has values in it, which are people's.
            said = "" if isinstance(error, SQLAlchemyError) else str(error)
            logger.warning("Nothing can be published: %s %s. Again in %s s.", type(error).__name__, said, pause)
        if not done:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    await publisher.close()


async def publish_some(database: Database, publisher: Publisher, aside: dict[int, float]) -> int:
    """Publish some of what waits; how many there were. `aside` are products that are not looked at until a time."""
    for product_id in [each for each, until in aside.items() if until <= time.monotonic()]:
        del aside[product_id]
    async with database.read() if database.on_sqlite else database.write() as claiming:
        events = await claimed(claiming, aside)
        if not events:
            return 0
        safe: list[int] = []
        failure = await publish(publisher, events, safe, aside)
        async with database.write() if database.on_sqlite else nullcontext(claiming) as connection:
            await connection.execute(update(Event).where(Event.id.in_(safe)).values(published_at=now()))
    if failure:
        raise failure
    return len(safe)


async def claimed(connection: AsyncConnection, aside: Collection[int]) -> Sequence[Row[Any]]:
    """Events of products that no other relay is at, in order."""
    earlier = aliased(Event)
    first = ~exists().where(
        earlier.product_id == Event.product_id, earlier.published_at.is_(None), earlier.id < Event.id
    )
    waits = Event.published_at.is_(None)
    heads = select(Event.product_id).where(waits, first, Event.product_id.not_in([*aside])).order_by(Event.id)
    heads = heads.limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
    products = [each.product_id for each in await connection.execute(heads)]
    theirs = select(Event).where(waits, Event.product_id.in_(products)).order_by(Event.id).limit(MOST_AT_ONCE)
    return (await connection.execute(theirs)).all() if products else []


async def publish(
    publisher: Publisher, events: Sequence[Row[Any]], safe: list[int], aside: dict[int, float]
) -> OSError | TimeoutError | None:
    """Publish, those of a product one after the other, and add what is safe to `safe`. What is wrong with the broker.

    An event that it can never take is logged, and its product put aside for a while; others go on.
    """
    products = defaultdict[int, list[Row[Any]]](list)
    for event in events:
        products[event.product_id].append(event)

    async def one_by_one(these: list[Row[Any]]) -> None:
        for event in these:
            try:
                await publisher.publish(event)
            except GONE:
                raise
            except Exception as error:
                logger.error("Event %s cannot be published: %s", event.event_id, type(error).__name__)  # noqa: TRY400
                aside[event.product_id] = time.monotonic() + LONGEST_PAUSE
                return
            safe.append(event.id)

    try:
        async with asyncio.timeout(LONGEST_BATCH):
            ended = await asyncio.gather(*map(one_by_one, products.values()), return_exceptions=True)
    except TimeoutError as error:
        return None if safe else error
    return next((error for error in ended if isinstance(error, GONE)), None)
