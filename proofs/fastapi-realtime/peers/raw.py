"""The floor: a WebSocket server that is nothing but uvloop's transport, and one frame for everybody, made once."""

import asyncio
import base64
import hashlib
import os
from typing import cast

import uvloop

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MESSAGE = os.environ["MESSAGE"].encode()
FRAME = b"\x81\x7e" + len(MESSAGE).to_bytes(2) + MESSAGE
everybody: set[asyncio.Transport] = set()


class Peer(asyncio.Protocol):
    """Shakes hands once; anything that comes later makes a message to all."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.transport, self.open = transport, False

    def connection_lost(self, _: Exception | None) -> None:
        everybody.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        if self.open:
            for transport in everybody:
                transport.write(FRAME)
            return
        key = next(line[19:] for line in data.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.open = True
        everybody.add(self.transport)


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", int(os.environ["PORT"]), backlog=4096)
    await server.serve_forever()


uvloop.run(main())
