"""The relay: publishes what is in the outbox, at least once, and what belongs to one product in order.

Any number of them may run. Each claims products by the first event of theirs that waits, and takes what follows; while
it holds that row nobody else can take an event of that product. When it dies its claims are gone with its connection,
and what was published without being marked is published again, under the same id.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Row, exists, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from app.database import Database, now
from app.outbox.models import Event

logger = logging.getLogger(__name__)

SOURCE = "/stock"
MOST_AT_ONCE = 100
LOOK_EVERY = 0.25  # seconds, while there is nothing to do
LONGEST_PAUSE = 30.0  # seconds, while the broker or the database is gone


class Publisher(Protocol):
    """Where events go. What it does raises OSError or TimeoutError when that is gone."""

    async def ready(self) -> None:
        """Return when it can be published: nothing is claimed before."""

    async def publish(self, events: Sequence[Row[Any]]) -> None:
        """Return when the events are safe there."""

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
    while not stop.is_set():
        try:
            await publisher.ready()
            done = await publish_some(database, publisher)
            pause = LOOK_EVERY
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            done, pause = 0, min(2 * pause, LONGEST_PAUSE)
            logger.warning("Nothing can be published: %s. Again in %s s.", type(error).__name__, pause)
        if not done:
            await _pause(stop, pause)
    await publisher.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def publish_some(database: Database, publisher: Publisher) -> int:
    """Publish some of what waits; how many there were."""
    async with database.write() as connection:
        earlier = aliased(Event)
        first = ~exists().where(
            earlier.product_id == Event.product_id, earlier.published_at.is_(None), earlier.id < Event.id
        )
        heads = select(Event.product_id).where(Event.published_at.is_(None), first).order_by(Event.id)
        heads = heads.limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
        claimed = [each.product_id for each in await connection.execute(heads)]
        if not claimed:
            return 0
        theirs = select(Event).where(Event.published_at.is_(None), Event.product_id.in_(claimed))
        events = (await connection.execute(theirs.order_by(Event.id).limit(MOST_AT_ONCE))).all()
        await publisher.publish(events)
        ids = [event.id for event in events]
        await connection.execute(update(Event).where(Event.id.in_(ids)).values(published_at=now()))
    return len(events)
