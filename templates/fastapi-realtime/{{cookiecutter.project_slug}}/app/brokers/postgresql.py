"""Hints by PostgreSQL's NOTIFY: nothing more to run where the database is PostgreSQL."""

import asyncio

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from app.brokers.remote import RemoteBroker


class PostgresqlBroker(RemoteBroker):
    """Two connections, since one that waits for notifications cannot send any.

    All commits that notify queue behind one lock of the server: for very many messages take Valkey or NATS.
    """

    async def carry(self) -> None:
        address = make_conninfo(self.url, connect_timeout=5, tcp_user_timeout=10_000, keepalives_idle=5)
        async with (
            await AsyncConnection.connect(address, autocommit=True) as ear,
            await AsyncConnection.connect(address, autocommit=True) as mouth,
            asyncio.TaskGroup() as group,
        ):
            await ear.execute("LISTEN hints")
            self.up = True
            group.create_task(self._hear(ear))
            group.create_task(self._tell(mouth))

    async def _hear(self, connection: AsyncConnection) -> None:
        async for notification in connection.notifies():
            self.heard(notification.payload)
        raise ConnectionError("the connection ended")

    async def _tell(self, connection: AsyncConnection) -> None:
        while True:
            await connection.execute("SELECT pg_notify('hints', %s)", (await self.next_text(),))
