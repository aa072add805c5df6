"""A page's cost beside a fresh `wagtail start`; kept pages; how cost grows with the tree; which server. In one run.

Run by `nox -s "bench(django-cms)"`, which sets PROJECT (the generated project, installed), OURS (its Python) and PEERS
(a Python with a fresh Wagtail and with gunicorn). Walls are not quoted: what counts is the CPU that was used.
"""

import json
import os
import platform
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent
PROJECT, OURS, PEERS = Path(os.environ["PROJECT"]), os.environ["OURS"], os.environ["PEERS"]
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402  the project's own

SIZES = [int(size) for size in os.environ.get("SIZES", "100,1000,10000").split(",")]
REQUESTS, ROUNDS, PEOPLE = 400, 5, 4
ARTICLE = "/city/stories/the-lamplighters-last-round/"
PROXY = {"Host": "127.0.0.1", "X-Forwarded-Proto": "https"}
SITE_PACKAGES = next(Path(OURS).parents[1].glob("lib/python*/site-packages"))
START = """
from .base import *
DEBUG, SECRET_KEY, ALLOWED_HOSTS = False, "x" * 60, ["127.0.0.1"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
DATABASES["default"]["CONN_MAX_AGE"] = 600
"""


def run(*command: str, cwd: Path, **settings: str) -> str:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | settings, check=True, capture_output=True, text=True
    ).stdout


def make_ours(folder: Path) -> dict[str, str]:
    """The demo's pages, and the settings of production over them."""
    data = {"DATA_DIR": str(folder), "SECRET_KEY": secrets.token_hex(32), "ALLOWED_HOSTS": "127.0.0.1"}
    data |= {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    test = data | {"ENVIRONMENT": "test"}
    run(OURS, "manage.py", "migrate", "-v0", cwd=PROJECT, **test)
    run(OURS, "manage.py", "load_demo", cwd=PROJECT, **test)
    run(OURS, "manage.py", "collectstatic", "--no-input", "-v0", cwd=PROJECT, **data)
    return data


def make_theirs(folder: Path) -> dict[str, str]:
    """What `wagtail start` makes, its settings for production completed, and the same patience with connections."""
    run(PEERS, "-m", "wagtail.bin.wagtail", "start", "fresh", str(folder), cwd=folder)
    (folder / "fresh" / "settings" / "bench.py").write_text(START, "utf-8")
    settings = {"DJANGO_SETTINGS_MODULE": "fresh.settings.bench"}
    run(PEERS, "manage.py", "migrate", "-v0", cwd=folder, **settings)
    return settings


def inside(python: str, module: str, cwd: Path, settings: dict[str, str], *paths: str) -> dict[str, list[float]]:
    """Milliseconds of CPU, queries, bytes and status of each path, without a server."""
    found: dict[str, list[float]] = json.loads(
        run(python, str(HERE.parent / "cost.py"), module, *paths, cwd=cwd, **settings)
    )
    wrong = {path: facts for path, facts in found.items() if facts[3] not in (0, 200)}
    if wrong:
        raise SystemExit(f"not 200: {wrong}")
    return found


def shell(settings: dict[str, str], code: str) -> str:
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); from tests.tree import *; {code}"
    return run(OURS, "manage.py", "shell", "-v0", "-c", code, cwd=PROJECT, **settings)


def tree(pid: int) -> list[int]:
    """A process and those below it."""
    below = [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    return [pid, *(each for child in below for each in tree(child))]


def cpu(pids: list[int]) -> float:
    """Milliseconds that they have run."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def memory(pids: list[int]) -> float:
    """MiB, each page that processes share counted once in all."""
    return (
        sum(
            int(line.split()[1])
            for pid in pids
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            if line.startswith("Pss:")
        )
        / 1024
    )


@contextmanager
def serving(command: list[str], cwd: Path, settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server on a free port, on the first core; who asks is on the others."""
    port = servers.free_port()
    command = ["taskset", "-c", "0", *(each.format(port=port) for each in command)]
    process = subprocess.Popen(
        command, cwd=cwd, env=os.environ | settings | {"PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def asked(port: int, path: str, process: subprocess.Popen[bytes]) -> float:
    """Milliseconds of the server's CPU per request, by four people with a connection each; the median of rounds."""

    def ask(times: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(times):
            connection.request("GET", path, headers=PROXY)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status}")
        connection.close()

    ask(20)
    rounds = []
    for _ in range(ROUNDS):
        pids = tree(process.pid)
        before = cpu(pids)
        threads = [threading.Thread(target=ask, args=[REQUESTS // PEOPLE]) for _ in range(PEOPLE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rounds.append((cpu(pids) - before) / REQUESTS)
    return statistics.median(rounds)


def table(head: list[str], rows: list[list[str]]) -> None:
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def beside_wagtail_start(ours: dict[str, str], fresh: Path, theirs: dict[str, str]) -> None:
    uncached = ours | {"PAGE_CACHE": "false"}
    inside(OURS, "config.wsgi", PROJECT, uncached, "/", ARTICLE)  # makes the sizes of the images
    them = inside(PEERS, "fresh.wsgi", fresh, theirs, "/")
    us = inside(OURS, "config.wsgi", PROJECT, uncached, "/", ARTICLE)
    empty = ours | {"DATA_DIR": f"{ours['DATA_DIR']}-empty", "PAGE_CACHE": "false"}
    run(OURS, "manage.py", "migrate", "-v0", cwd=PROJECT, **empty, ENVIRONMENT="test")
    bare = inside(OURS, "config.wsgi", PROJECT, empty, "/")
    kept = inside(OURS, "config.wsgi", PROJECT, ours, ARTICLE)
    floor = them["/"][0]
    rows = [
        ["`wagtail start`, first page", *figures(them["/"], floor)],
        ["this, first page without articles", *figures(bare["/"], floor)],
        ["this, first page with 6 articles and their pictures", *figures(us["/"], floor)],
        ["this, an article three levels below it", *figures(us[ARTICLE], floor)],
        ["the same article, kept", *figures(kept[ARTICLE], floor)],
    ]
    table(["page", "ms of CPU", "÷ `wagtail start`", "queries", "bytes"], rows)
    print(f"\nuncached ÷ kept: {us[ARTICLE][0] / kept[ARTICLE][0]:.0f}")
    print(f"CPU to start and answer once: ours {us['start'][0]:.0f} ms, `wagtail start` {them['start'][0]:.0f} ms")


def figures(found: list[float], floor: float) -> list[str]:
    return [f"{found[0]:.2f}", f"{found[0] / floor:.2f}", f"{found[1]:.0f}", f"{found[2]:,.0f}"]


def as_the_tree_grows(ours: dict[str, str]) -> None:
    rows = []
    for size in SIZES:
        shell(ours | {"ENVIRONMENT": "test"}, f"grow({size})")
        places = json.loads(shell(ours | {"ENVIRONMENT": "test"}, "import json; print(json.dumps(addresses()))"))
        found = inside(OURS, "config.wsgi", PROJECT, ours | {"PAGE_CACHE": "false"}, *places.values())
        rows.append([f"{size:,}", *(f"{found[path][0]:.1f} ({found[path][1]:.0f})" for path in places.values())])
    table(["articles", *(f"{kind}: ms (queries)" for kind in places)], rows)


def servers_beside_each_other(ours: dict[str, str]) -> None:
    gunicorn = [PEERS, "-m", "gunicorn", "config.wsgi", "-b", "127.0.0.1:{port}", "--log-level", "error"]
    candidates = {
        "granian, 4 threads (`serve`)": [OURS, "manage.py", "serve"],
        "gunicorn gthread, 4 threads": [*gunicorn, "--worker-class", "gthread", "--threads", "4"],
        "gunicorn sync": [*gunicorn, "--worker-class", "sync"],
    }
    rows = []
    for name, command in candidates.items():
        settings = ours | {"PYTHONPATH": f"{SITE_PACKAGES}{os.pathsep}{PROJECT}"} if PEERS in command else ours
        with serving(command, PROJECT, settings) as (process, port):
            kept = asked(port, ARTICLE, process)
            used = memory(tree(process.pid))
        with serving(command, PROJECT, settings | {"PAGE_CACHE": "false"}) as (process, port):
            made = asked(port, ARTICLE, process)
        rows.append([name, f"{kept:.2f}", f"{made:.2f}", f"{made / kept:.0f}", f"{used:.0f}"])
    table(["server", "kept: ms of CPU", "made: ms of CPU", "made ÷ kept", "MiB"], rows)


def main() -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ours").mkdir()
        (folder / "ours-empty").mkdir()
        (folder / "theirs").mkdir()
        ours, theirs = make_ours(folder / "ours"), make_theirs(folder / "theirs")
        beside_wagtail_start(ours, folder / "theirs", theirs)
        servers_beside_each_other(ours)
        as_the_tree_grows(ours)
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
