"""A load generator: asks at a fixed rate whatever becomes of the answers, or as fast as so many connections can.

At a fixed rate (an open loop) the time of an answer counts from the moment when its request was due, not from when a
connection was free: a server that stands still for a second delays all that were due in it. `python load.py` holds it
against a server that does nothing.
"""

import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@dataclass
class Answers:
    """What came back. Seconds."""

    took: list[float] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)
    seconds: float = 0

    def quantile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds if self.seconds else 0

    def note(self, status: bytes, took: float, right: tuple[bytes, ...]) -> None:
        if status in right:
            self.took.append(took)
        else:
            name = status.decode("latin-1") or "hung up"
            self.wrong[name] = self.wrong.get(name, 0) + 1


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[bytes] | None = None
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, end, body = self.heard.partition(b"\r\n\r\n")
        if not end:
            return
        length = LENGTH.search(head)
        whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n") if CHUNKED.search(head) else True
        if whole and self.waiting and not self.waiting.done():
            self.waiting.set_result(head[9:12])
            if CLOSES.search(head) and self.transport:
                self.transport.close()
                self.transport = None

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(b"")

    async def ask(self, request: bytes) -> bytes:
        """The status of the answer; nothing where the server hung up."""
        assert self.transport
        self.heard, self.waiting = b"", asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiting


class Pool:
    """Connections to one address; those that a server has closed are opened anew."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: deque[Connection] = deque()

    async def ask(self, request: bytes) -> bytes:
        while self.free:
            connection = self.free.pop()
            if connection.transport:
                break
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
        status = await connection.ask(request)
        if connection.transport:
            self.free.append(connection)
        return status

    def close(self) -> None:
        for connection in self.free:
            if connection.transport:
                connection.transport.close()


async def at_rate(
    port: int, requests: Iterable[bytes], *, rate: float, seconds: float, right: tuple[bytes, ...] = (b"200",)
) -> Answers:
    """Ask so many times a second, evenly, for so long."""
    answers, pool, each = Answers(), Pool(port), iter(cycle(requests))
    began = time.perf_counter() + 0.01

    async def one(due: float) -> None:
        status = await pool.ask(next(each))
        answers.note(status, time.perf_counter() - due, right)

    tasks = set()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.add(task := asyncio.create_task(one(due)))
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks, timeout=30)
    answers.seconds = time.perf_counter() - began
    pool.close()
    return answers


async def as_fast(
    port: int, requests: Iterable[bytes], *, connections: int, seconds: float, right: tuple[bytes, ...] = (b"200",)
) -> Answers:
    """Ask over so many connections at once, each as soon as it has its answer."""
    answers, pool, each = Answers(), Pool(port), iter(cycle(requests))
    began = time.perf_counter()

    async def one() -> None:
        while (asked := time.perf_counter()) < began + seconds:
            status = await pool.ask(next(each))
            answers.note(status, time.perf_counter() - asked, right)

    await asyncio.gather(*(one() for _ in range(connections)))
    answers.seconds = time.perf_counter() - began
    pool.close()
    return answers


async def all_at_once(port: int, requests: list[bytes], right: tuple[bytes, ...] = (b"200",)) -> Answers:
    """Ask all of them at the same moment, each over a connection of its own, which is there before."""
    answers, pool = Answers(), Pool(port)
    loop = asyncio.get_running_loop()
    for start in range(0, len(requests), 50):
        made = [loop.create_connection(Connection, "127.0.0.1", port) for _ in requests[start : start + 50]]
        pool.free.extend(protocol for _, protocol in await asyncio.gather(*made))
    began = time.perf_counter()

    async def one(request: bytes) -> None:
        status = await pool.ask(request)
        answers.note(status, time.perf_counter() - began, right)

    await asyncio.gather(*map(one, requests))
    answers.seconds = time.perf_counter() - began
    pool.close()
    return answers


def get(path: str, **headers: str) -> bytes:
    """A request as it goes over the line."""
    said = {"Host": "127.0.0.1", "Accept": "*/*"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, body: object, **headers: str) -> bytes:
    """A request with a body of JSON as it goes over the line."""
    content = json.dumps(body).encode()
    said = {"Host": "127.0.0.1", "Accept": "*/*", "Content-Type": "application/json"}
    said |= {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": str(len(content))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def run[Result](errand: Awaitable[Result]) -> Result:
    """The result of an errand, on uvloop."""

    async def wait() -> Result:
        return await errand

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(wait())


def machine(python: str | Path) -> dict[str, str]:
    """Where it was measured, and when; the version of this interpreter."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    script = "import platform; print(platform.python_version())"
    told = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return {
        "machine": f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}",
        "python": told.stdout.strip(),
        "date": datetime.now(UTC).date().isoformat(),
    }


class Null(asyncio.Protocol):
    """A server that does nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.answer = cast("asyncio.Transport", transport).write

    def data_received(self, _data: bytes) -> None:
        self.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def family(pid: int) -> list[int]:
    """A process, and all that it has started."""
    found = [pid]
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended meanwhile
            found += [each for child in tasks.read_text().split() for each in family(int(child))]
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and its children have used."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def spread(values: Iterable[float]) -> str:
    """The median of some values, and the least and the most of them."""
    found = sorted(values)
    return f"{statistics.median(found):.1f} ({found[0]:.1f} to {found[-1]:.1f})"


async def check(rates: Iterator[int]) -> None:
    server = await asyncio.get_running_loop().create_server(Null, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for rate in rates:
        began = time.process_time()
        answers = await at_rate(port, [get("/")], rate=rate, seconds=3)
        print(
            f"{rate} a second, asked of nothing: {answers.rate:.0f} a second, median {answers.quantile(0.5):.2f} ms, "
            f"p99 {answers.quantile(0.99):.2f} ms, {(time.process_time() - began) / 3:.0%} of a core with the server"
        )
        assert not answers.wrong, answers.wrong


if __name__ == "__main__":
    run(check(iter([int(word) for word in sys.argv[1:]] or [200, 1000, 3000])))
