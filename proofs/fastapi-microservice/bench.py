"""What a request costs: ours beside the floor, raw psycopg below a bare ASGI application on the same uvicorn.

Run by `nox -s "bench(fastapi-microservice)"`, which sets PROJECT (the generated project, installed) and OURS (its
Python, which runs this too). Servers are on the first core, PostgreSQL and who asks on the others. What counts is the
CPU that a server used for a request, and ratios within the run; each is measured in turn, forth and back.
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
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
PROJECT, OURS = Path(os.environ["PROJECT"]), os.environ["OURS"]
sys.path.insert(0, str(PROJECT))
from app.auth.issuer import issue  # noqa: E402  the project's own
from app.settings import Settings  # noqa: E402
from tests import servers  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "2"))
ROUNDS = int(os.environ.get("ROUNDS", "4"))
AT_ONCE = 8
HOUR = timedelta(hours=1)
PRODUCTS = 200
JOBS = ("livez", "read", "list of 50", "create", "hold")
IMPORTS = "import time; began = time.process_time(); import app.asgi; print(time.process_time() - began)"


@dataclass
class Server:
    """One that runs, and what was measured of it."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    token: str = ""
    costs: dict[str, list[float]] = field(default_factory=dict)

    def cpu(self) -> int:
        """Nanoseconds that all its threads have run."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def memory(self) -> float:
        """MiB that are its own, or shared with others in part."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))) / 1024

    def request(self, job: str) -> bytes:
        """The bytes of a question; for those that write another one each time."""
        path, body = "/livez", b""
        if job == "read":
            path = "/api/v1/products/7"
        elif job == "list of 50":
            path = "/api/v1/products"
        elif job == "create":
            path = "/api/v1/products"
            body = json.dumps({"sku": secrets.token_hex(8).upper(), "name": "Green tea"}).encode()
        elif job == "hold":
            path = "/api/v1/reservations"
            number = 1 + secrets.randbelow(PRODUCTS)
            body = json.dumps({"product_id": number, "quantity": 1}).encode()
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body:
            key = uuid.uuid4()
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n"
        return f"{head}Authorization: Bearer {self.token}\r\n\r\n".encode() + body


@contextmanager
def started(name: str, application: str, settings: dict[str, str], token: str) -> Iterator[Server]:
    """An application on uvicorn, on the first core."""
    port = servers.free_port()
    command = ["taskset", "-c", "0", OURS, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "error", "--no-server-header", "--ws", "none", "--no-proxy-headers"]
    env = os.environ | {"PYTHONPATH": f"{PROJECT}:{HERE / 'peers'}"} | settings
    process = subprocess.Popen(command, cwd=PROJECT, env=env)
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        yield Server(name, process, port, token)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def ask(server: Server, job: str, until: float, took: list[float], ok: tuple[bytes, ...]) -> None:
    """One client: a question after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    while time.perf_counter() < until:
        question = server.request(job)
        began = time.perf_counter()
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        if head[9:12] not in ok:
            raise RuntimeError(f"{server.name}, {job}: {head + body!r}")
        took.append(time.perf_counter() - began)
    writer.close()


async def measure(server: Server, job: str) -> tuple[float, float]:
    """Microseconds of CPU for a request, and how many there were in a second."""
    took = list[float]()
    ok = (b"200", b"201")
    await asyncio.gather(*(ask(server, job, time.perf_counter() + 0.4, [], ok) for _ in range(AT_ONCE)))
    before, began = server.cpu(), time.perf_counter()
    await asyncio.gather(*(ask(server, job, began + SECONDS, took, ok) for _ in range(AT_ONCE)))
    return (server.cpu() - before) / len(took) / 1000, len(took) / (time.perf_counter() - began)


def seed(database_url: str) -> None:
    """Products with more stock than anybody will hold."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO products (sku, name, on_hand, reserved, created_at, updated_at) "
            "SELECT 'SEED-' || n, 'Green tea, 100 g', 100000000, 0, now(), now() FROM generate_series(1, %s) AS n",
            (PRODUCTS,),
        )
        connection.execute("ANALYZE")


def statements(settings: Settings) -> dict[str, int]:
    """What each job asks the database, counted where it is sent, the allowance having been taken before."""
    import httpx2  # noqa: PLC0415
    from sqlalchemy import Engine, event  # noqa: PLC0415

    from app.main import create_app, running  # noqa: PLC0415

    asked: list[str] = []

    def note(*arguments: Any) -> None:  # noqa: ANN401
        if not arguments[2].startswith("BEGIN"):
            asked.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)

    async def count() -> dict[str, int]:
        app = create_app(settings)
        found = {}
        async with running(settings, app) as state:

            async def with_state(scope: dict[str, object], receive: object, send: object) -> None:
                await app({**scope, "state": dict(state)}, receive, send)  # type: ignore[arg-type]

            token = issue(settings, "bench", lasts=HOUR)
            transport = httpx2.ASGITransport(with_state)  # type: ignore[arg-type]
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
                hold = {"product_id": 1, "quantity": 1}
                calls: dict[str, Callable[[], object]] = {
                    "warm": lambda: client.get("/api/v1/products/1"),
                    "livez": lambda: client.get("/livez"),
                    "read": lambda: client.get("/api/v1/products/1"),
                    "list of 50": lambda: client.get("/api/v1/products"),
                    "create": lambda: client.post("/api/v1/products", json={"sku": "COUNTED", "name": "Tea"}),
                    "hold": lambda: client.post("/api/v1/reservations", json=hold, headers={"Idempotency-Key": "x"}),
                }
                for job, call in calls.items():
                    asked.clear()
                    await call()  # type: ignore[misc]
                    found[job] = len(asked)
        return found

    return asyncio.run(count())


def cell(values: list[float]) -> str:
    """The median, and how far the values lie apart."""
    return f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def main() -> None:
    """Print the tables."""
    cores = os.cpu_count() or 1
    os.sched_setaffinity(0, set(range(1, cores)) or {0})
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    imports = [
        float(subprocess.run([OURS, "-c", IMPORTS], cwd=PROJECT, check=True, capture_output=True, text=True).stdout)
        for _ in range(5)
    ]
    with ExitStack() as stack:
        database_url = stack.enter_context(servers.postgresql())
        common = {"ENVIRONMENT": "test", "SECRET_KEY": secrets.token_hex(32), "ALLOWED_HOSTS": "127.0.0.1"}
        common |= {"DATABASE_URL": database_url, "RATE_LIMIT": "100000000/60", "LOG_LEVEL": "ERROR"}
        os.environ |= common
        subprocess.run([OURS, "-m", "app", "migrate"], cwd=PROJECT, check=True, capture_output=True)
        seed(database_url)
        settings = Settings()
        token = issue(settings, "bench", lasts=HOUR)
        asked = statements(settings)
        kinds = {"the floor": "floor:app", "this": "app.asgi:app", "this, traced": "traced:app"}
        running = [stack.enter_context(started(name, app, common, token)) for name, app in kinds.items()]
        for turn in range(ROUNDS):
            for job in JOBS:
                for server in running if turn % 2 == 0 else reversed(running):
                    cpu, _ = asyncio.run(measure(server, job))
                    server.costs.setdefault(job, []).append(cpu)
        floor, this, traced = running
        print(f"µs of CPU of the server for a request, median of {ROUNDS} turns (least-most), {AT_ONCE} at once\n")
        print(
            "| | statements | the floor | this | ratio | this, traced | ratio to this |\n|---|---|---|---|---|---|---|"
        )
        for job in JOBS:
            ours, least = statistics.median(this.costs[job]), statistics.median(floor.costs[job])
            more = statistics.median(traced.costs[job])
            cells = [job, asked[job], cell(floor.costs[job]), cell(this.costs[job]), f"{ours / least:.2f}"]
            cells += [cell(traced.costs[job]), f"{more / ours:.2f}"]
            print("| " + " | ".join(map(str, cells)) + " |")
        print(f"\nimport of app.asgi: {statistics.median(imports):.2f} s of CPU")
        print(", ".join(f"{server.name}: {server.memory():.0f} MiB" for server in running))


if __name__ == "__main__":
    main()
