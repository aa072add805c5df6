"""Hints by Valkey's publish and subscribe (Redis speaks the same)."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from app.brokers.remote import RemoteBroker


class ValkeyBroker(RemoteBroker):
    """Publish and subscribe keeps nothing, and need not: the log is in the database."""

    async def carry(self) -> None:
        address = self.url.replace("valkey", "redis", 1)
        async with (
            Redis.from_url(address, socket_connect_timeout=5, health_check_interval=5) as client,
            client.pubsub() as ear,
            asyncio.TaskGroup() as group,
        ):
            await ear.subscribe("hints")
            self.up = True
            group.create_task(self._hear(ear))
            group.create_task(self._tell(client))

    async def _hear(self, ear: PubSub) -> None:
        # `listen` would wait for ever on a line that is dead; asking again every second sends the health check.
        while True:
            message = await ear.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                self.heard(message["data"].decode())

    async def _tell(self, client: Redis) -> None:
        while True:
            await client.publish("hints", await self.next_text())
