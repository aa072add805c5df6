"""Where events go: to NATS JetStream, or into a file when there is no broker."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from sqlalchemy import Row

from app.outbox.relay import Publisher, cloud_event
from app.settings import Settings

if sys.platform != "win32":
    import fcntl

STREAM = "STOCK"
PATIENCE = 5.0  # seconds


class File:
    """A line for each event, on the disk before anybody is told that it is published."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ready(self) -> None:
        """It always is."""

    async def publish(self, event: Row[Any]) -> None:
        await asyncio.to_thread(self._append, json.dumps(cloud_event(event)).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b", buffering=0) as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX)
            # Somebody may have died within a line: what comes after it is a line of its own.
            if end := file.seek(0, os.SEEK_END):
                file.seek(end - 1)
                line = line if file.read(1) == b"\n" else b"\n" + line
            if file.write(line) != len(line):
                raise OSError(f"{self._path} did not take the whole line")
            os.fsync(file)

    async def close(self) -> None:
        """Nothing is open between two batches."""


class JetStream:
    """A stream that takes an event of the same id only once within its window; the subject is the event's type."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    async def ready(self) -> None:
        if self._stream is None:
            async with self._broker(), asyncio.timeout(PATIENCE):
                # Without reconnecting by itself: the relay knows when to try again, and says so.
                self._client = await nats.connect(self._url, allow_reconnect=False, error_cb=_quiet)
                stream = self._client.jetstream(timeout=PATIENCE)
                try:
                    await stream.stream_info(STREAM)  # as whoever runs the broker wants it
                except NotFoundError:
                    await stream.add_stream(StreamConfig(name=STREAM, subjects=["stock.>"]))
                self._stream = stream

    async def publish(self, event: Row[Any]) -> None:
        stream = self._stream
        if stream is None:
            raise ConnectionError
        headers = {"Nats-Msg-Id": event.event_id, "Content-Type": "application/cloudevents+json"}
        body = json.dumps(cloud_event(event)).encode()
        async with self._broker():
            await stream.publish(event.type, body, headers=headers)

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[None]:
        """Begin afresh after whatever the broker does not do."""
        try:
            yield
        except nats.errors.MaxPayloadError:
            raise  # this event only
        except (nats.errors.Error, JetStreamError, OSError, TimeoutError) as error:
            await self.close()
            raise ConnectionError(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        client, self._client, self._stream = self._client, None, None
        if client:
            with suppress(nats.errors.Error, OSError, TimeoutError):
                await client.close()


async def _quiet(_error: Exception) -> None:
    """The relay says what is wrong."""


def publisher(settings: Settings) -> Publisher:
    """The one that the settings name."""
    return JetStream(settings.nats_url) if settings.nats_url else File(settings.events_file)
