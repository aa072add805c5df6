"""The two that keep one contract, side by side in one run, on PostgreSQL: `nox -s "bench(twin)"`.

DJANGO and FASTAPI are the generated projects, installed. Each has a database of its own with the same rows, made
through the contract; PostgreSQL does not wait for a disk. Servers are on the first core, PostgreSQL and who asks on
the others. They take turns, there and back, after a turn that does not count. With `--write` all values are kept in
docs/results/twin.json. What they mean is for docs/twin.md, which is made of it.
"""

import argparse
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(ROOT / "common" / "all" / "tests")]

import load  # noqa: E402  the path comes first
import servers  # noqa: E402

PRODUCTS = 1000
ROUNDS = int(os.environ.get("ROUNDS", "8"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))
RATE = 200
BOTH = "stock:read stock:write"
IN_PROCESS = "CPU of a request without a server, µs"
STATEMENTS = "Statements of a request"
OWN_CPU = "CPU of a request, µs, each by its own server: Django on granian, FastAPI on uvicorn"
EQUAL_CPU = "CPU of a request, µs, both on granian, one thread"
ANSWERS = "Answers a second, each by its own server, one process on one core, 16 at once"
LATENCY = f"Milliseconds within which a read is answered, {RATE} a second, each by its own server"
WAITING = "Seconds until a thousand who wait a tenth of a second are all answered"
AT_REST = "At rest"
VALIDATING = {
    "Django": """
import django; django.setup()
from stock.serializers import NewProduct
def check(): assert NewProduct(data=items, many=True).is_valid()
""",
    "FastAPI": """
from pydantic import TypeAdapter
from app.products.schemas import NewProduct
adapter = TypeAdapter(list[NewProduct])
def check(): adapter.validate_python(items)
""",
}
TIMING = """
import time
items = [{"sku": f"SKU-{n}", "name": f"Thing {n}"} for n in range(1000)]
%s
check(); found = []
for _ in range(7):
    began = time.process_time(); check(); found.append((time.process_time() - began) * 1000)
print(*found)
"""


@dataclass
class Side:
    """One of the two projects."""

    name: str
    project: Path
    command: list[str]  # before `migrate`, `serve` and `token`
    module: str  # what the probe calls
    started: str  # what a process has to import before it can answer
    table: str
    granian: list[str]
    settings: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def python(self) -> Path:
        return self.project / ".venv" / "bin" / "python"

    def run(self, *arguments: str, **settings: str) -> str:
        """What a command of the project prints."""
        command = [str(self.python), *self.command, *arguments]
        env = os.environ | self.settings | settings
        done = subprocess.run(command, cwd=self.project, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout


@dataclass
class Server:
    """A server on the first core."""

    process: subprocess.Popen[bytes]
    port: int

    def cpu(self) -> float:
        """Seconds of CPU that it and its children have used."""
        return load.cpu(self.process.pid)

    def memory(self) -> float:
        """MiB: what is its own, and its share of what is not."""
        kib = 0
        for pid in load.family(self.process.pid):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kib += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kib / 1024


def both() -> list[Side]:
    django, fastapi = Path(os.environ["DJANGO"]), Path(os.environ["FASTAPI"])
    return [
        Side(
            "Django",
            django,
            ["manage.py"],
            "config.wsgi",
            "import config.wsgi, config.urls",
            "stock_product",
            ["granian", "--interface", "wsgi", "--blocking-threads", "1", "--no-ws", "config.wsgi:application"],
            {"DJANGO_SETTINGS_MODULE": "config.settings"},
        ),
        Side(
            "FastAPI",
            fastapi,
            ["-m", "app"],
            "app.asgi",
            "import app.asgi",
            "products",
            ["granian", "--interface", "asgi", "--no-ws", "app.asgi:app"],
        ),
    ]


@contextmanager
def serving(command: list[str], folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    port = servers.free_port()
    env = os.environ | settings | {"PORT": str(port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "1"}
    command = ["taskset", "-c", "0", *(word.replace("{port}", str(port)) for word in command)]
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL)
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def seed(side: Side) -> None:
    """A thousand products, of which more are there than anybody will hold: made by the contract's own operations."""
    with serving([str(side.python), *side.command, "serve"], side.project, side.settings) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for number in range(PRODUCTS):
            new = {"sku": f"SEED-{number}", "name": "Green tea, 100 g"}
            path, headers = "/api/v1/products", {"Content-Type": "application/json"}
            headers |= {"Authorization": f"Bearer {side.token}", "Idempotency-Key": secrets.token_hex()}
            for body in (new, {"kind": "receive", "quantity": 1_000_000}):
                connection.request("POST", path, json.dumps(body), headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 201:
                    raise SystemExit(f"{side.name}: {answer.status} {content.decode()}")
                path = f"{path}/{json.loads(content)['id']}/movements"


def at_peace(sides: list[Side]) -> None:
    """Let PostgreSQL know what is in its tables now, as it does by itself a minute later."""
    for side in sides:
        with psycopg.connect(side.settings["DATABASE_URL"], autocommit=True) as database:
            database.execute("ANALYZE")


class Found:
    """What was measured: tables of rows of columns of values."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, list[float]]]] = {}

    def keep(self, table: str, row: str, column: str, value: float) -> None:
        self.tables.setdefault(table, {}).setdefault(row, {}).setdefault(column, []).append(round(value, 4))

    def show(self) -> None:
        for table, rows in self.tables.items():
            print(f"\n{table}")
            columns = list(next(iter(rows.values())))
            for row, cells in rows.items():
                said = [f"{column} {load.spread(cells[column])}" for column in columns if column in cells]
                print(f"  {row:<28} {'; '.join(said)}")


def turns(sides: list[Any], rounds: int = ROUNDS) -> Iterator[tuple[Any, bool]]:
    """There and back, so often; the first turn warms what it uses, and does not count."""
    for number in range(rounds + 1):
        for side in reversed(sides) if number % 2 == 0 else sides:
            yield side, number > 0


def jobs(token: str, product: str = "{row}") -> dict[str, dict[str, Any]]:
    """What is asked, as the probe has it."""
    authorised = {"Authorization": f"Bearer {token}"}
    once = authorised | {"Idempotency-Key": "key-{n}"}
    hold = {"product_id": 0, "quantity": 1}
    return {
        "list of 50": {"method": "GET", "path": "/api/v1/products", "headers": authorised},
        "read": {"method": "GET", "path": f"/api/v1/products/{product}", "headers": authorised},
        "create": {
            "method": "POST",
            "path": "/api/v1/products",
            "headers": authorised,
            "body": {"sku": "NEW-{n}", "name": "Thing {n}"},
            "right": 201,
        },
        "hold": {"method": "POST", "path": "/api/v1/reservations", "headers": once, "body": hold, "right": 201},
    }


def in_process(found: Found, sides: list[Side]) -> None:
    """CPU and statements of a request, without a server; beside it the floor, on the same rows."""
    at_peace(sides)
    with ExitStack() as stack:
        probes: dict[str, tuple[Any, Side]] = {}
        for side in sides:
            here = {"PYTHONPATH": str(HERE), "TABLE": side.table}
            floor = "floor" if side.name == "Django" else "floor_async"
            for name, module, more in ((side.name, side.module, {}), (f"{side.name}'s floor", floor, here)):
                command = ["taskset", "-c", "0", str(side.python), str(HERE.parent / "probe.py"), module]
                env = os.environ | side.settings | more
                probe = subprocess.Popen(
                    command, cwd=side.project, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
                stack.callback(probe.kill)
                probes[name] = probe, side
        for job in jobs(""):
            for name, counts in turns(list(probes)):
                probe, side = probes[name]
                task = jobs(side.token)[job] | {"times": 100}
                if job == "hold":
                    task["body"] = {"product_id": 7, "quantity": 1}
                probe.stdin.write(json.dumps(task) + "\n")
                probe.stdin.flush()
                cpu, statements = json.loads(probe.stdout.readline())
                if counts:
                    found.keep(IN_PROCESS, job, name, cpu)
                if counts and "floor" not in name:
                    found.keep(STATEMENTS, job, name, statements)


def requests(side: Side, job: str) -> list[bytes]:
    """So many different ones, as they go over the line."""
    authorised = {"Authorization": f"Bearer {side.token}"}
    if job == "list of 50":
        return [load.get("/api/v1/products", **authorised)]
    if job == "read":
        return [load.get(f"/api/v1/products/{number + 1}", **authorised) for number in range(PRODUCTS)]
    if job == "create":
        return [
            load.post("/api/v1/products", {"sku": secrets.token_hex(10).upper(), "name": "Tea"}, **authorised)
            for _ in range(20_000)
        ]
    body = {"product_id": 7, "quantity": 1}  # all want the same
    return [
        load.post("/api/v1/reservations", body, **authorised, Idempotency_Key=secrets.token_hex(10))
        for _ in range(20_000)
    ]


def over_http(found: Found, sides: list[Side], commands: dict[str, list[str]], *, own: bool, at_once: int = 16) -> None:
    """CPU of the server, so many at once, one process on one core; and how many answers a second, by its own server."""
    right = (b"200", b"201")
    at_peace(sides)
    with ExitStack() as stack:
        running = {
            side.name: stack.enter_context(serving(commands[side.name], side.project, side.settings)) for side in sides
        }
        for job in jobs(""):
            for side, counts in turns(sides):
                server, asked = running[side.name], requests(side, job)
                before = server.cpu()
                answers = load.run(load.as_fast(server.port, asked, connections=at_once, seconds=SECONDS, right=right))
                used = server.cpu() - before
                if answers.wrong:
                    raise SystemExit(f"{job}, {side.name} is void: {answers.wrong}")
                if counts:
                    found.keep(OWN_CPU if own else EQUAL_CPU, job, side.name, used / len(answers.took) * 1e6)
                if counts and own:
                    found.keep(ANSWERS, job, side.name, answers.rate)
        for side in sides if own else ():
            found.keep(AT_REST, "memory after many requests, MiB", side.name, running[side.name].memory())


def at_rate(found: Found, sides: list[Side], commands: dict[str, list[str]]) -> None:
    """How long a read takes at a rate that both can keep, from when it was due."""
    at_peace(sides)
    with ExitStack() as stack:
        running = {
            side.name: stack.enter_context(serving(commands[side.name], side.project, side.settings)) for side in sides
        }
        for side, counts in turns(sides, 4):
            port, asked = running[side.name].port, requests(side, "read")
            answers = load.run(load.at_rate(port, asked, rate=RATE, seconds=4))
            if answers.wrong:
                raise SystemExit(f"{RATE} a second, {side.name} is void: {answers.wrong}")
            for row, share in (("half of them", 0.5), ("99 of 100", 0.99)) if counts else ():
                found.keep(LATENCY, row, side.name, answers.quantile(share))


def waiting(found: Found) -> None:
    """A thousand who wait for somebody else for a tenth of a second, at once: awaited, and blocking."""
    folder = HERE.parent / "surprises"
    python = Path(sys.executable).parent
    uvicorn = ["uvicorn", "--no-access-log", "--log-level", "warning", "--port", "{port}"]
    granian = ["granian", "--interface", "wsgi", "--blocking-threads", "40", "--backlog", "2048", "--port", "{port}"]
    variants: dict[str, tuple[list[str], str, dict[str, str]]] = {
        "FastAPI, `async def`, on uvicorn": ([*uvicorn, "fastapi_app:app"], "/wait", {}),
        "FastAPI, `def` (40 threads), on uvicorn": ([*uvicorn, "fastapi_app:app"], "/wait-def", {}),
        "Django, `def`, 40 threads of granian": ([*granian, "django_app:application"], "/wait", {}),
        "Django, `async def`, no middleware, on uvicorn": ([*uvicorn, "django_app:asgi"], "/wait-async", {"BARE": "1"}),
        "Django, `async def`, seven middlewares, on uvicorn": ([*uvicorn, "django_app:asgi"], "/wait-async", {}),
    }
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(serving([str(python / command[0]), *command[1:]], folder, settings))
            for name, (command, _, settings) in variants.items()
        }
        for name, counts in turns(list(variants), 3):
            answers = load.run(load.all_at_once(running[name].port, [load.get(variants[name][1])] * 1000))
            if answers.wrong:
                raise SystemExit(f"{name} is void: {answers.wrong}")
            if counts:
                found.keep(WAITING, name, "seconds", answers.seconds)


def at_rest(found: Found, sides: list[Side]) -> None:
    """What each takes before anybody asks."""
    for side, counts in turns(sides):
        script = f"import time; began = time.process_time(); {side.started}; print(time.process_time() - began)"
        env = os.environ | side.settings
        told = subprocess.run(
            [side.python, "-c", script], cwd=side.project, env=env, capture_output=True, text=True, check=True
        )
        if counts:
            found.keep(AT_REST, "CPU to import all that answers, s", side.name, float(told.stdout.split()[-1]))
    for side, _ in turns(sides, 2):
        env = os.environ | side.settings
        script = TIMING % VALIDATING[side.name]
        done = subprocess.run(
            [side.python, "-c", script], cwd=side.project, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        for value in done.stdout.split():
            found.keep(AT_REST, "CPU to check 1,000 new products, ms", side.name, float(value))
    for side in sides:
        with serving([str(side.python), *side.command, "serve"], side.project, side.settings) as server:
            time.sleep(1)
            found.keep(AT_REST, "memory before any request, MiB", side.name, server.memory())
        plain = side.project.parent / f"{side.name}-plain"
        env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | {
            "UV_PROJECT_ENVIRONMENT": str(plain)
        }
        subprocess.run(["uv", "sync", "--quiet", "--no-default-groups"], cwd=side.project, env=env, check=True)
        packages = list(plain.glob("lib/python*/site-packages/*.dist-info"))
        size = sum(file.stat().st_size for file in plain.glob("lib/python*/site-packages/**/*") if file.is_file())
        found.keep(AT_REST, "packages", side.name, len(packages))
        found.keep(AT_REST, "packages, MiB", side.name, size / 2**20)


def versions(sides: list[Side]) -> dict[str, str]:
    """Of the packages that count, in the projects."""
    names = ("django", "djangorestframework", "granian", "fastapi", "sqlalchemy", "uvicorn", "psycopg")
    script = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try: print(name, version(name))
    except PackageNotFoundError: pass
"""
    told = [
        subprocess.run([side.python, "-c", script, *names], capture_output=True, text=True, check=True)
        for side in sides
    ]
    return dict(line.split() for each in told for line in each.stdout.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep it for the page")
    said = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[1:] or {0})
    found, sides, began = Found(), both(), os.getloadavg()[0]
    with ExitStack() as stack:
        for side in sides:
            side.settings |= {
                "ENVIRONMENT": "test",
                "SECRET_KEY": secrets.token_hex(32),
                "ALLOWED_HOSTS": "127.0.0.1",
                "DATABASE_URL": stack.enter_context(servers.postgresql()),
                "RATE_LIMIT": "100000000/60",
                "LOG_LEVEL": "WARNING",
            }
            side.run("migrate")
            side.token = side.run("token", "bench", "--scope", BOTH).strip().splitlines()[-1]
            seed(side)
        own = {side.name: [str(side.python), *side.command, "serve"] for side in sides}
        granian = {}
        for side in sides:
            with_granian = [
                "uv",
                "run",
                "--no-sync",
                "--with",
                "granian~=2.8",
                *side.granian,
                "--workers",
                "1",
                "--port",
                "{port}",
            ]
            granian[side.name] = with_granian
        steps: list[Callable[[], None]] = [
            lambda: at_rest(found, sides),
            lambda: in_process(found, sides),
            lambda: over_http(found, sides, own, own=True),
            lambda: over_http(found, sides, granian, own=False),
            lambda: at_rate(found, sides, own),
            lambda: waiting(found),
        ]
        for step in steps:
            step()
    found.show()
    about = load.machine(sides[0].python) | {"load": round(began, 1), "versions": versions(sides)}
    print(f"\n{about}")
    if said.write:
        file = ROOT / "docs" / "results" / "twin.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(about | {"found": found.tables}, indent=1) + "\n")


if __name__ == "__main__":
    main()
