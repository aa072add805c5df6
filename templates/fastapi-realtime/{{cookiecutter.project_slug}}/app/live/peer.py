"""A peer: a reader at the other end of a WebSocket. What it is told and asked is the business of subclasses."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.accounts.services import Caller
from app.database import Database
from app.live.hub import Hub
from app.live.reader import Reader

CLOSE_GRACE = timedelta(seconds=5)  # for a close frame to get through


class Peer(Reader, ABC):
    """One task reads, one writes; whichever ends first ends the other."""

    def __init__(self, caller: Caller, *, database: Database, hub: Hub) -> None:
        super().__init__(caller, database=database, hub=hub)
        self._push: Callable[[bytes], bool] | None = None
        self._busy = self._gone = False
        self._writer: asyncio.Task[None] | None = None

    async def accept(self, socket: WebSocket) -> None:
        """Open the connection and serve it: with our own server after its middleware is done, else from within."""
        try:
            await socket.accept()
        except BaseException:
            self._hub.disconnect(self)
            raise
        extensions = socket.scope.get("extensions", {})
        self._push = extensions.get("push")
        if self._push:
            extensions["rest"] = self.serve
        else:
            await self.serve(socket)

    @abstractmethod
    async def _read(self, writer: asyncio.Task[None]) -> None:
        """Read until the connection is closed, or is about to be; then wait for the writer."""

    @abstractmethod
    async def _write(self) -> None:
        """The only place that sends; ends when `_closing` or `_gone` is set."""

    async def serve(self, socket: WebSocket) -> None:
        """Read and write until either side closes."""
        self._socket = socket
        self._writer = writer = asyncio.create_task(self._write_and_close())
        tasks = {writer, asyncio.create_task(self._read(writer))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.disconnect(self)
            self._gone = True
            self._work.set()
            # Each comes to its end by itself: cancelled amid a question it would leak a database connection.
            await asyncio.wait(tasks, timeout=CLOSE_GRACE.total_seconds())
            for task in tasks:
                task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    def close(self, code: int, reason: str) -> None:
        if self._closing is None and self._writer:
            # A peer that reads nothing does not read the close frame either.
            asyncio.get_running_loop().call_later(CLOSE_GRACE.total_seconds(), self._writer.cancel)
        super().close(code, reason)

    @property
    def _ending(self) -> bool:
        return self._closing is not None or self._gone

    async def _write_and_close(self) -> None:
        await self._write()
        if self._closing:
            await self._socket.close(*self._closing)
