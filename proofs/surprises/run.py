"""Five things about Django and FastAPI that surprise, measured here: `nox -s surprise -- hello`.

They are hello, read, server, blocking and rate; each takes less than a minute. `--write` keeps what was
measured in docs/results/, from which the page is made.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(ROOT / "common" / "all" / "tests")]

import load  # noqa: E402  the path comes first
import servers  # noqa: E402

PYTHON = sys.executable
BIN = Path(PYTHON).parent
type Rows = dict[str, list[float]]


@dataclass
class Server:
    """A server on a port, on the first core; who asks is on the others."""

    process: subprocess.Popen[bytes]
    port: int


COMMANDS = {
    "gunicorn sync": "gunicorn --no-control-socket --bind 127.0.0.1:{port} django_app:application",
    "gunicorn gthread": "gunicorn --no-control-socket --threads 4 --bind 127.0.0.1:{port} django_app:application",
    "gunicorn, 40 threads": "gunicorn --no-control-socket --threads 40 --bind 127.0.0.1:{port} django_app:application",
    "granian": "granian --interface wsgi --workers 1 --blocking-threads 1 --no-ws --port {port} django_app:application",
    "uvicorn, ASGI": "uvicorn --no-access-log --log-level warning --port {port} django_app:asgi",
    "uvicorn": "uvicorn --no-access-log --log-level warning --port {port} fastapi_app:app",
    "granian, ASGI": "granian --interface asgi --workers 1 --no-ws --port {port} fastapi_app:app",
}


@contextmanager
def serving(name: str, **settings: str) -> Iterator[Server]:
    port = servers.free_port()
    command = [
        "taskset",
        "-c",
        "0",
        *(str(BIN / COMMANDS[name].split()[0]), *COMMANDS[name].format(port=port).split()[1:]),
    ]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=HERE, env=os.environ | settings, stdout=quiet, stderr=quiet)
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def database() -> Iterator[str]:
    """PostgreSQL with a thousand rows."""
    with servers.postgresql() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text NOT NULL, price int NOT NULL)")
            connection.execute("INSERT INTO item (name, price) SELECT 'item ' || n, n FROM generate_series(1, 1000) n")
        yield url


def in_process(variants: dict[str, tuple[str, str, dict[str, str]]], times: int, rounds: int = 8) -> Rows:
    """Microseconds of CPU a request, in processes that take turns: first to last, last to first."""
    rows: Rows = {name: [] for name in variants}
    with ExitStack() as stack:
        probes = {}
        for name, (module, path, settings) in variants.items():
            command = ["taskset", "-c", "0", PYTHON, str(HERE.parent / "probe.py"), module]
            probe = subprocess.Popen(
                command, cwd=HERE, env=os.environ | settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(probe.kill)
            probes[name] = probe, json.dumps({"times": times, "method": "GET", "path": path})
        for turn in range(rounds + 1):
            for name in list(variants)[:: 1 if turn % 2 == 0 else -1]:
                probe, task = probes[name]
                assert probe.stdin
                assert probe.stdout
                probe.stdin.write(f"{task}\n")
                probe.stdin.flush()
                cpu = json.loads(probe.stdout.readline())[0]
                if turn > 0:  # the first one warms what it uses
                    rows[name].append(cpu)
    return rows


def hello() -> dict[str, Rows]:
    """A word as JSON: what the framework costs, one request after the other, without server and database."""
    variants = {
        "Django, the seven middlewares of startproject": ("django_app", "/hello", {}),
        "Django, no middleware": ("django_app", "/hello", {"BARE": "1"}),
        "FastAPI, `async def`": ("fastapi_app", "/hello", {}),
        "FastAPI, `def`": ("fastapi_app", "/hello-def", {}),
    }
    return {"µs of CPU a request": in_process(variants, 400)}


def read() -> dict[str, Rows]:
    """One row of PostgreSQL by its key, as an object, as JSON, one after the other: without a server, and without the
    database's own CPU. psycopg 3 in all. SQLAlchemy's session sends BEGIN and ROLLBACK, as by default; Django neither.
    """
    with database() as url:
        settings = {"DATABASE_URL": url}
        variants = {
            "Django, the seven middlewares of startproject": ("django_app", "/read/{row}", settings),
            "Django, no middleware": ("django_app", "/read/{row}", settings | {"BARE": "1"}),
            "FastAPI, `async def`, SQLAlchemy": ("fastapi_app", "/read/{row}", settings),
            "FastAPI, `def`, SQLAlchemy": ("fastapi_app", "/read-def/{row}", settings),
        }
        return {"µs of CPU a request": in_process(variants, 150)}


def over_http(
    names: dict[str, tuple[str, str, dict[str, str]]], ask: Callable[[int, str], load.Answers], rounds: int
) -> dict[str, Rows]:
    """Each server in turn, first to last and last to first; one core for it, the other for who asks."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[1:] or {0})
    found: dict[str, Rows] = {}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(serving(server, **settings)) for name, (server, _, settings) in names.items()
        }
        for turn in range(rounds):
            for name in list(names)[:: 1 if turn % 2 == 0 else -1]:
                ask(running[name].port, names[name][1])  # warm
                before = load.cpu(running[name].process.pid)
                answers = ask(running[name].port, names[name][1])
                if answers.wrong:
                    raise SystemExit(f"{name} is void: {answers.wrong}")
                used = (load.cpu(running[name].process.pid) - before) / len(answers.took) * 1e6
                for what, value in (
                    ("answers a second", answers.rate),
                    ("µs of CPU a request", used),
                    ("median, ms", answers.quantile(0.5)),
                    ("p99, ms", answers.quantile(0.99)),
                ):
                    found.setdefault(what, {}).setdefault(name, []).append(value)
    return found


def server() -> dict[str, Rows]:
    """The same word by different servers, 32 connections, one process on one core. Django with the seven middlewares of
    startproject and `def`, FastAPI with none and `async def`, where nothing else is said."""
    names = {
        "Django on gunicorn, sync": ("gunicorn sync", "/hello", {}),
        "Django on gunicorn, gthread": ("gunicorn gthread", "/hello", {}),
        "Django on granian": ("granian", "/hello", {}),
        "Django on granian, no middleware": ("granian", "/hello", {"BARE": "1"}),
        "Django on uvicorn": ("uvicorn, ASGI", "/hello", {}),
        "Django on uvicorn, no middleware, `async def`": ("uvicorn, ASGI", "/hello-async", {"BARE": "1"}),
        "FastAPI on uvicorn": ("uvicorn", "/hello", {}),
        "FastAPI on granian": ("granian, ASGI", "/hello", {}),
    }
    return over_http(
        names, lambda port, path: load.run(load.as_fast(port, [load.get(path)], connections=32, seconds=1)), 2
    )


def blocking() -> dict[str, Rows]:
    """A hundred who wait for what takes 100 ms, again and again: awaited, or in one of 40 threads. With the line that
    blocks only ten ask. Django with startproject's seven middlewares, where nothing else is said."""
    names = {
        "FastAPI, `async def`": ("uvicorn", "/wait", {}),
        "FastAPI, `def`": ("uvicorn", "/wait-def", {}),
        "FastAPI, `async def`, blocked": ("uvicorn", "/wait-blocking", {}),
        "Django on gunicorn, 40 threads": ("gunicorn, 40 threads", "/wait", {}),
        "Django, `async def`": ("uvicorn, ASGI", "/wait-async", {}),
        "Django, `async def`, no middleware": ("uvicorn, ASGI", "/wait-async", {"BARE": "1"}),
        "Django, `async def`, blocked": ("uvicorn, ASGI", "/wait-blocking", {}),
    }

    def ask(port: int, path: str) -> load.Answers:
        return load.run(
            load.as_fast(port, [load.get(path)], connections=100 if "blocking" not in path else 10, seconds=1)
        )

    return over_http(names, ask, 2)


def rate() -> dict[str, Rows]:
    """Two hundred requests a second, each one row of PostgreSQL: the time from when each was due."""
    with database() as url:
        names = {
            "Django on granian": ("granian", "", {"DATABASE_URL": url}),
            "FastAPI on uvicorn": ("uvicorn", "", {"DATABASE_URL": url}),
        }
        requests = [load.get(f"/read/{number % 1000 + 1}") for number in range(997)]
        return over_http(names, lambda port, _: load.run(load.at_rate(port, requests, rate=200, seconds=4)), 2)


ALL = {each.__name__: each for each in (hello, read, server, blocking, rate)}


def machine() -> dict[str, Any]:
    """Where it was measured, and with what."""
    names = ("django", "fastapi", "sqlalchemy", "psycopg", "granian", "gunicorn", "uvicorn")
    versions = {name: version(name) for name in names}
    return load.machine(PYTHON) | {"load": round(os.getloadavg()[0], 1), "versions": versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", choices=[*ALL, []], help="all five, where none is named")
    parser.add_argument("--write", action="store_true", help="keep it for the page")
    said = parser.parse_args()
    for name in said.which or ALL:
        about, began = machine(), time.monotonic()
        found = ALL[name]()
        print(f"\n{name}: {' '.join((ALL[name].__doc__ or '').split())}")
        for what, rows in found.items():
            print(f"  {what}: the median, and the least and the most of {len(next(iter(rows.values())))}")
            for row, values in rows.items():
                print(f"    {row:<54} {load.spread(values)}")
        print(f"  {about['machine']}, Python {about['python']}, {about['date']}, {time.monotonic() - began:.0f} s")
        if said.write:
            kept = {
                what: {row: [round(each, 2) for each in values] for row, values in rows.items()}
                for what, rows in found.items()
            }
            file = ROOT / "docs" / "results" / f"{name}.json"
            file.parent.mkdir(exist_ok=True)
            about |= {"seconds": round(time.monotonic() - began), "what": " ".join((ALL[name].__doc__ or "").split())}
            file.write_text(json.dumps(about | {"found": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
