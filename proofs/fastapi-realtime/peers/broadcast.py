"""`websockets.broadcast`, as its documentation advises: one call for all connections, no compression, uvloop."""

import asyncio
import os

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

everybody: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    """Anything that comes makes a message to all."""
    everybody.add(connection)
    try:
        async for _ in connection:
            broadcast(everybody, os.environ["MESSAGE"])
    finally:
        everybody.discard(connection)


async def main() -> None:
    """Serve for ever."""
    async with serve(handle, "127.0.0.1", int(os.environ["PORT"]), compression=None, backlog=4096):
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
