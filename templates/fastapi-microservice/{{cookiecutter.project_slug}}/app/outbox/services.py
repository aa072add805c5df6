"""What happened, written down in the transaction in which it happens: others learn of it, or it never was."""

import uuid
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import now
from app.outbox.models import Event
from app.telemetry import traceparent

WRITE = insert(Event)


async def emit(connection: AsyncConnection, what: str, product_id: int, *data: Mapping[str, Any]) -> None:
    """Have an event published for each of `data`, once this transaction is committed.

    Its product is locked, so ids are in order.
    """
    common = {
        "product_id": product_id,
        "type": f"stock.{what}.v1",
        "traceparent": traceparent(),
        "occurred_at": now(),
    }
    values = [common | {"event_id": str(uuid.uuid4()), "data": to_json(each).decode()} for each in data]
    await connection.execute(WRITE, values if len(values) > 1 else values[0])
