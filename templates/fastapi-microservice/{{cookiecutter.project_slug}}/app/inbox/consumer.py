"""The consumer: orders from a stream of NATS JetStream. Whatever is not acknowledged comes again."""

import asyncio
import logging
from contextlib import suppress

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.inbox.schemas import OrderPlaced
from app.inbox.services import take

logger = logging.getLogger(__name__)

SUBJECT = "order.placed"
DURABLE = "stock"
MOST_AT_ONCE = 50
PATIENCE = 5.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0


async def run(database: Database, *, url: str, stop: asyncio.Event) -> None:
    """Take orders until told to stop. Whatever is gone is waited for."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        client = Client()
        try:
            async with asyncio.timeout(PATIENCE):
                await client.connect(url, allow_reconnect=False, error_cb=_quiet)
                orders = await subscribed(client.jetstream(timeout=PATIENCE))
            pause = FIRST_PAUSE
            while not stop.is_set():
                await take_some(database, orders)
        except (nats.errors.Error, JetStreamError, SQLAlchemyError, OSError, TimeoutError) as error:
            pause = min(2 * pause, LONGEST_PAUSE)
            logger.warning("No order can be taken: %s. Again in %s s.", type(error).__name__, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
        finally:
            await client.close()


async def subscribed(jetstream: JetStreamContext) -> JetStreamContext.PullSubscription:
    """One of those who share the orders. Raises NotFoundError while nobody has made a stream for them."""
    if not await jetstream.find_stream_name_by_subject(SUBJECT):
        raise NotFoundError
    return await jetstream.pull_subscribe(SUBJECT, durable=DURABLE)


async def take_some(database: Database, orders: JetStreamContext.PullSubscription) -> None:
    """Take those that wait. Each is acknowledged after its transaction is committed."""
    try:
        messages = await orders.fetch(MOST_AT_ONCE, timeout=1)
    except nats.errors.TimeoutError:
        return
    for message in messages:
        await take_one(database, message)


async def take_one(database: Database, message: Msg) -> None:
    """Take an order, or have it never sent again when it is none."""
    try:
        event = OrderPlaced.model_validate_json(message.data)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        logger.error("An event is not an order: %s", said)  # noqa: TRY400  a traceback would have what is in it
        await message.term()
        return
    await take(database, event)
    await message.ack()


async def _quiet(_error: Exception) -> None:
    """The loop says what is wrong."""
