"""A crowd of WebSocket clients in one process, as cheap as Python can: raw frames on uvloop's transports."""

import asyncio
import base64
import os
import struct
from collections.abc import Callable, Sequence
from typing import cast

MARK = b"fan-out"


class Member(asyncio.Protocol):
    """One client: says its part after the handshake, then counts the messages with the mark."""

    def __init__(self, crowd: "Crowd", path: str, headers: Sequence[str], says: Sequence[str]) -> None:
        self.crowd, self.path, self.headers, self.says = crowd, path, headers, says
        self.buffer = b""
        self.shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.transport = transport
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.crowd.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            *self.headers,
        ]
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def connection_lost(self, _: Exception | None) -> None:
        self.crowd.lost += 1

    def send(self, text: str) -> None:
        """A masked text frame, with the mask that changes nothing."""
        self.transport.write(frame(0x81, text.encode()))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.shaken:
            head, found, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if not found:
                self.buffer = head
                return
            if b" 101 " not in head[:20]:
                raise RuntimeError(head.decode())
            self.shaken = True
            self.crowd.shaken += 1
            for text in self.says:
                self.send(text)
        while (size := self._frame_size()) is not None:
            one, self.buffer = self.buffer[:size], self.buffer[size:]
            self._take(one)

    def _frame_size(self) -> int | None:
        if len(self.buffer) < 2:
            return None
        length, head = self.buffer[1] & 127, 2
        if length == 126:
            if len(self.buffer) < 4:
                return None
            length, head = struct.unpack(">H", self.buffer[2:4])[0], 4
        elif length == 127:
            if len(self.buffer) < 10:
                return None
            length, head = struct.unpack(">Q", self.buffer[2:10])[0], 10
        return head + length if len(self.buffer) >= head + length else None

    def _take(self, one: bytes) -> None:
        if one[0] & 15 == 9:
            self.transport.write(frame(0x8A, one[2:]))
        elif one[0] & 15 == 1:
            if MARK in one:
                self.crowd.heard += 1
            if self.crowd.on_text:
                self.crowd.on_text(self, one)


def frame(first: int, payload: bytes) -> bytes:
    """A client's frame; four zero bytes are a mask too."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([first]) + length + b"\0\0\0\0" + payload


class Crowd:
    """All clients of a server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.shaken = self.heard = self.lost = 0
        self.on_text: Callable[[Member, bytes], None] | None = None
        self.members: list[Member] = []

    async def join(self, path: str, headers: Sequence[str], says: Sequence[str]) -> Member:
        """Connect one more."""
        _, member = await asyncio.get_running_loop().create_connection(
            lambda: Member(self, path, headers, says), "127.0.0.1", self.port
        )
        self.members.append(member)
        return member

    async def until(self, what: str, number: int, *, within: float = 60) -> None:
        """Wait until so many have shaken hands, or so many messages were heard."""
        async with asyncio.timeout(within):
            while getattr(self, what) < number:
                await asyncio.sleep(0.002)

    def leave(self) -> None:
        """Everybody goes."""
        for member in self.members:
            member.transport.abort()
