"""Hints by NATS, the broker to take for many hosts."""

import asyncio

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from app.brokers.remote import RemoteBroker

SUBJECT = "rooms.hints"


class NatsBroker(RemoteBroker):
    """Core NATS keeps nothing, and need not: the log is in the database."""

    async def carry(self) -> None:
        gone = asyncio.Event()

        async def broken(*_: object) -> None:
            gone.set()

        async def hear(message: Msg) -> None:
            self.heard(message.data.decode())

        # It could reconnect by itself; `run` does it, for all brokers alike, and knows whether we are connected.
        client = await nats.connect(
            self.url, allow_reconnect=False, connect_timeout=5, ping_interval=5, closed_cb=broken, error_cb=broken
        )
        try:
            await client.subscribe(SUBJECT, cb=hear)
            await client.flush()
            self.up = True
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell(client))
                await gone.wait()
                telling.cancel()
        finally:
            await client.close()

    async def _tell(self, client: Client) -> None:
        while True:
            await client.publish(SUBJECT, (await self.next_text()).encode())
