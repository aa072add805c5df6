"""Who publishes, who restores and who serves dies by kill -9, while twenty people read; and a tree of 10,000 pages.

Run by `nox -s "proof(django-cms)"`, which sets PROJECT (the generated project) and uses its Python. PostgreSQL, with
fsync on. What must hold: nobody sees an older page than was published when they asked; the tree is never half written;
after a restore that was killed, restoring again gives the site of the archive; a page costs the same number of queries.
"""

import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402
from tests.processes import Processes  # noqa: E402

KILLS = int(os.environ.get("KILLS", "20"))
SIZE = int(os.environ.get("SIZE", "10000"))
ARTICLE = "/city/rivers/stories/number/"
MOST = {"home": 6, "article": 12, "list": 14, "search": 12}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def code(text: str) -> list[str]:
    """A command that runs this inside the project, with what lies beside this file."""
    return ["shell", "-v0", "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); {text}"]


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  our own loopback addresses
        text: str = answer.read().decode()
    return text


def shown(page: str) -> int:
    """The number in the title of a page; -1 when it has none."""
    found = re.search(r"<h1>Number (\d+)</h1>", page)
    return int(found[1]) if found else -1


class Readers:
    """Twenty people who ask two servers, and remember whether they saw something older than they might."""

    def __init__(self, addresses: list[str]) -> None:
        self.published, self.asked = 0, 0
        self.published_by_this_one = False
        self.wrong: list[str] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[each]) for each in addresses * 10]

    def _ask(self, address: str) -> None:
        while not self._done.is_set():
            before = self.published
            try:
                number = shown(get(address + ARTICLE))
            except OSError:
                continue  # the server was killed; the next one is on its way
            self.asked += 1
            if number < before:
                self.wrong.append(f"{number} was shown, and {before} had been published")
            time.sleep(0.05)  # two cores are shared by all of this

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


def killed_publishers(site: Processes) -> None:
    """Somebody publishes as fast as they can, and is killed in the middle of it."""
    with ExitStack() as stack:
        addresses = [stack.enter_context(site.serve()) for _ in range(2)]
        readers = stack.enter_context(Readers(addresses))
        for _ in range(KILLS):
            readers.published_by_this_one = False
            process = subprocess.Popen(
                [sys.executable, "manage.py", *code("from hammer import *; publish()")],
                cwd=PROJECT,
                env=site.env,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdout
            for line in process.stdout:
                if not readers.published_by_this_one:
                    threading.Timer(random.uniform(0.1, 3), process.kill).start()
                readers.published = int(line)
                readers.published_by_this_one = True
            process.wait()
            site.run(*code("from hammer import *; whole()"))
        for address in addresses:
            assert shown(get(address + ARTICLE)) >= readers.published
    assert readers.wrong == [], readers.wrong[:5]
    assert readers.published > KILLS
    say(f"{KILLS} publishers killed, {readers.published} versions published, {readers.asked} pages read: none too old")


def killed_servers(site: Processes) -> None:
    """A worker of a server is killed while people read: another one takes its place, and shows what is there."""
    port = servers.free_port()
    process = site.start("serve", HOST="127.0.0.1", PORT=str(port))
    address = f"http://127.0.0.1:{port}"
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        expected = get(address + ARTICLE)
        for _ in range(3):
            time.sleep(7)  # one that dies sooner is taken for one that cannot start, and the server ends
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
            workers = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            os.kill(int(workers[0]), 9)
            deadline = time.monotonic() + 60
            while True:
                try:
                    assert get(address + ARTICLE) == expected
                    break
                except OSError:
                    assert time.monotonic() < deadline, "no new worker within a minute"
                    time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(30)
    say("3 workers killed: each time another one answered")


def killed_restores(site: Processes, folder: Path) -> None:
    """Restoring is killed at any moment: the site is the old one or the new one; restoring again gives the new one."""
    archive = folder / "site.tar.gz"
    site.run("backup", str(archive))
    there = site.run(*code("from hammer import *; whole()"))
    began = time.monotonic()
    site.run("restore", str(archive), "--replace")
    took = time.monotonic() - began
    for _ in range(KILLS // 2):
        process = site.start("restore", str(archive), "--replace")
        time.sleep(random.uniform(0.6, 1.1) * took)
        process.kill()
        process.wait()
        assert site.run(*code("from hammer import *; whole()")) == there
    site.run("restore", str(archive), "--replace")
    assert site.run(*code("from hammer import *; whole()")) == there
    assert not list(folder.rglob(".unpacked-*")), "what those had unpacked that were killed"
    say(f"{KILLS // 2} restores killed (one takes {took:.1f} s): never half a site, and nothing of theirs lies about")


def large_tree(site: Processes) -> None:
    """No more queries with 10,000 pages than with a hundred."""
    found = {}
    for size in (100, SIZE):
        began = time.monotonic()
        grow = f"grow({size}); call_command('update_index', verbosity=0)"
        site.run(*code(f"from django.core.management import call_command; from tests.tree import *; {grow}"))
        places = json.loads(site.run(*code("from tests.tree import *; import json; print(json.dumps(addresses()))")))
        places["search"] = "/search/?q=water"
        command = [sys.executable, str(HERE.parent / "cost.py"), "config.wsgi", *places.values()]
        env = site.env | {"PAGE_CACHE": "false"}
        output = subprocess.run(command, cwd=PROJECT, env=env, check=True, capture_output=True, text=True).stdout
        cost = json.loads(output)
        assert all(cost[path][3] == 200 for path in places.values()), cost
        found[size] = {kind: cost[path][1] for kind, path in places.items()}
        times = ", ".join(f"{kind} {cost[path][1]:.0f} ({cost[path][0]:.1f} ms)" for kind, path in places.items())
        say(f"{size} articles, made in {time.monotonic() - began:.0f} s: queries {times}")
    # Not equal: a search among few finds pages of more kinds.
    assert all(found[SIZE][kind] <= found[100][kind] for kind in found[100]), found
    assert all(found[SIZE][kind] <= most for kind, most in MOST.items()), found


@contextmanager
def a_site() -> Iterator[tuple[Processes, Path]]:
    with tempfile.TemporaryDirectory() as name, servers.postgresql(fsync=True) as url:
        folder = Path(name)
        settings = {"DATABASE_URL": url, "DATA_DIR": name, "SECRET_KEY": secrets.token_hex(32), "ENVIRONMENT": "test"}
        settings |= {"TRUSTED_PROXIES": "127.0.0.1"}
        site = Processes(settings)
        site.run("migrate", "-v0")
        site.run(*code("from tests.site import build; build()"))
        yield site, folder


def main() -> None:
    with a_site() as (site, folder):
        killed_publishers(site)
        killed_servers(site)
        killed_restores(site, folder)
        large_tree(site)
    say("all of it held")


if __name__ == "__main__":
    main()
