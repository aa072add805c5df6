"""One message to N clients: server CPU per delivered message, beside the peers, in one run.

Run by `nox -s "bench(fastapi-realtime)"`, which sets PROJECT (the generated project, installed), OURS (its Python) and
PEERS (the Python that has the peers). Walls are not quoted: what counts is the CPU that the server used.
"""

import asyncio
import json
import os
import platform
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from crowd import MARK, Crowd, Member

HERE = Path(__file__).parent
PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402  the project's own

ROUNDS = int(os.environ.get("ROUNDS", "20"))
SIZES = [int(size) for size in os.environ.get("SIZES", "1000,5000").split(",")]
PER_PERSON = 20
BODY = MARK.decode() + "x" * 119  # the 126 bytes of a short message


@dataclass
class Figures:
    """What one server used at one size."""

    per_message: float = 0  # microseconds of CPU
    per_accept: float = 0  # microseconds of CPU
    per_idle: float = 0  # KiB of memory
    rounds: list[float] = field(default_factory=list)


def cpu(pid: int) -> int:
    """Nanoseconds that all threads of a process have run."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())


def memory(pid: int) -> int:
    """Resident KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@contextmanager
def running(command: list[str], **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server on a free port, on the first core; the crowd is on the others."""
    port = servers.free_port()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command], cwd=PROJECT, env=env | settings | {"PORT": str(port), "MESSAGE": BODY}
    )
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        yield process, port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


type Joining = Callable[[Crowd, int], Awaitable[Member]]


async def measure(process: subprocess.Popen[bytes], port: int, size: int, join: Joining, go: str) -> Figures:
    """Connect a crowd, let it be idle, then one message after the other to all."""
    crowd, figures = Crowd(port), Figures()
    speaker = await join(crowd, 0)
    await crowd.until("shaken", 1)
    await asyncio.sleep(1)
    started, empty = cpu(process.pid), memory(process.pid)
    for number in range(1, size):
        await join(crowd, number)
        if number % 50 == 0:
            await crowd.until("shaken", number - 50)
    await crowd.until("shaken", size)
    await asyncio.sleep(2)
    figures.per_accept = (cpu(process.pid) - started) / size / 1000
    figures.per_idle = (memory(process.pid) - empty) / size
    for number in range(ROUNDS + 2):
        before, heard = cpu(process.pid), crowd.heard
        speaker.send(go.replace("CLIENT_ID", uuid.uuid4().hex))
        await crowd.until("heard", heard + size)
        await asyncio.sleep(0.05)
        if number >= 2:  # the first ones warm up
            figures.rounds.append((cpu(process.pid) - before) / size / 1000)
    figures.per_message = statistics.median(figures.rounds)
    if crowd.lost:
        print(f"   {crowd.lost} connections were lost", file=sys.stderr)
    crowd.leave()
    return figures


def plain(path: str = "/ws", says: tuple[str, ...] = ()) -> Joining:
    """A crowd without accounts."""

    async def join(crowd: Crowd, _: int) -> Member:
        return await crowd.join(path, [], says)

    return join


DATABASES: dict[str, Callable[[str], AbstractContextManager[str]]] = {
    "PostgreSQL": lambda _folder: servers.postgresql(fsync=True),
    "SQLite": lambda folder: nullcontext(f"sqlite:///{folder}/data.sqlite3"),
}


@contextmanager
def ours(size: int, on: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Joining, str]]:
    """The generated project, as `serve` serves it, with people who are signed in and follow one room."""
    with tempfile.TemporaryDirectory() as folder, DATABASES[on](folder) as url:
        settings = {
            "ENVIRONMENT": "test",
            "SECRET_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": url,
            "LOG_LEVEL": "ERROR",
        }
        people = size // PER_PERSON + 1
        python = os.environ["OURS"]
        seed = subprocess.run(
            [python, str(HERE / "seed.py"), str(people)],
            env=os.environ | settings | {"PYTHONPATH": str(PROJECT)},
            cwd=PROJECT,
            check=True,
            capture_output=True,
            text=True,
        )
        seeded = json.loads(seed.stdout.splitlines()[-1])
        subscribe = json.dumps({"type": "subscribe", "room": seeded["room"], "after": 0})

        async def join(crowd: Crowd, number: int) -> Member:
            cookie = f"Cookie: session={seeded['cookies'][number // PER_PERSON]}"
            return await crowd.join("/ws", [cookie], [subscribe])

        go = json.dumps({"type": "publish", "room": seeded["room"], "client_id": "CLIENT_ID", "body": BODY})
        with running([python, "-m", "app", "serve"], **settings) as (process, port):
            yield process, port, join, go


async def hot_room(on: str, publishers: int = 20, seconds: float = 5) -> tuple[float, float, float]:
    """Messages per second, and publish → ack in milliseconds (median, p99), of a room in which many write at once."""
    with ours(publishers * PER_PERSON, on) as (_, port, _join, go):
        crowd = Crowd(port)
        sent: dict[str, float] = {}
        waits: list[float] = []
        stop = time.perf_counter() + seconds

        def publish(member: Member) -> None:
            client_id = uuid.uuid4().hex
            sent[client_id] = time.perf_counter()
            member.send(go.replace("CLIENT_ID", client_id))

        def on_text(member: Member, one: bytes) -> None:
            at = one.find(b"{")
            message = json.loads(one[at:])
            if message["type"] == "ack":
                waits.append(time.perf_counter() - sent.pop(message["receipt"]["client_id"]))
            elif message["type"] == "error":
                sent.pop(message["client_id"], None)
            if message["type"] in ("ack", "hello", "error") and time.perf_counter() < stop:
                publish(member)

        crowd.on_text = on_text
        for number in range(publishers):
            member = await _join(crowd, number * PER_PERSON)
            member.says = ()
        await asyncio.sleep(seconds + 1)
        crowd.leave()
    waits.sort()
    return len(waits) / seconds, waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.99)] * 1000


async def main() -> None:
    """Everything, and a table of ratios."""
    peers = os.environ["PEERS"]
    go_socketio = '42["go",1]'
    rows: dict[str, dict[int, Figures]] = {}
    for size in SIZES:
        with running([peers, str(HERE / "peers" / "raw.py")]) as (process, port):
            rows.setdefault("raw uvloop (the floor)", {})[size] = await measure(process, port, size, plain(), "go")
        with running([peers, str(HERE / "peers" / "broadcast.py")]) as (process, port):
            rows.setdefault("websockets.broadcast", {})[size] = await measure(process, port, size, plain(), "go")
        for on in DATABASES:
            with ours(size, on) as (process, port, join, go):
                figures = await measure(process, port, size, join, go)
            rows.setdefault(f"ours, {on}", {})[size] = figures
        with running([peers, str(HERE / "peers" / "socketio_.py")]) as (process, port):
            join = plain("/socket.io/?EIO=4&transport=websocket", ("40",))
            rows.setdefault("python-socketio", {})[size] = await measure(process, port, size, join, go_socketio)
        with (
            servers.valkey() as valkey,
            running([peers, str(HERE / "peers" / "channels_.py")], VALKEY_URL=valkey) as (process, port),
        ):
            rows.setdefault("Django Channels", {})[size] = await measure(process, port, size, plain(), "go")
    names = ("uvloop", "websockets", "python-socketio", "channels", "channels-redis", "uvicorn")
    code = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {names}), sep=', ')"
    versions = subprocess.run([peers, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores; {versions}")
    print(
        f"One message of {len(BODY)} bytes to N clients, median of {ROUNDS} rounds, CPU of the server process alone.\n"
    )
    for size in SIZES:
        base = rows["websockets.broadcast"][size].per_message
        print(f"N = {size:<18} µs/message  ÷ broadcast  KiB/idle  µs/accept")
        for name, figures in rows.items():
            each = figures[size]
            ratio = each.per_message / base
            print(f"{name:<22} {each.per_message:>10.1f} {ratio:>12.2f} {each.per_idle:>9.1f} {each.per_accept:>10.0f}")
        print()
    for on in DATABASES:
        rate, median, p99 = await hot_room(on)
        print(f"One hot room, 20 writers at once, {on}: {rate:.0f} messages/s")
        print(f"publish → ack: median {median:.0f} ms, p99 {p99:.0f} ms")


if __name__ == "__main__":
    uvloop.run(main())
