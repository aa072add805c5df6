"""The real thing: a generated project's own commands, its server on a socket, its pages as a visitor gets them."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from workbench.starters import Starter

STARTS_WITHIN = 60.0
ENDS_WITHIN = 10.0


class WrongError(Exception):
    """The project does not do what its starter.toml or its README says."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The status and the body of an answer; redirects are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: object) -> None:
            return None

    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310  our own loopback addresses
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def running(command: str, folder: Path, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command until the block ends, then SIGTERM to its whole group; what it printed is in the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.split(), cwd=folder, env=dict(env), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> float:
    """Stop it as Ctrl-C or a deploy does. Seconds that it took. Raises WrongError when it has to be killed."""
    started = time.monotonic()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM) if sys.platform != "win32" else process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            there = left_of(process)
            os.killpg(process.pid, signal.SIGKILL) if sys.platform != "win32" else process.kill()
            process.wait()
            raise WrongError(f"{process.args!r} did not end within {ENDS_WITHIN} s of SIGTERM:\n{there}") from None
    return time.monotonic() - started


def left_of(process: subprocess.Popen[bytes]) -> str:
    """Which processes of its group are still there, and what each of them waits for."""
    if not shutil.which("ps"):
        return ""
    command = ["ps", "-ww", "-o", "pid,ppid,pgid,stat,wchan:24,nlwp,time,args", "-e"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return "\n".join(line for line in lines if str(process.pid) in line.split()[:3])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers. Raises WrongError with the log when the process ends first."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            ask(url)
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise WrongError(f"{url} does not answer. It printed:\n{log.read_text('utf-8', 'replace')[-4000:]}")


def expect(starter: Starter, base: str, headers: Mapping[str, str] | None = None) -> int:
    """Ask for every page and endpoint that starter.toml names. How many there were. Raises WrongError."""
    pages, endpoints = starter.facts["page"], starter.facts["endpoint"]
    for page in pages:
        status, body = ask(base + page["path"], headers)
        if status != 200 or page["shows"] not in body:
            raise WrongError(f"{page['path']} answered {status} and should be a page that shows {page['shows']!r}")
    for endpoint in endpoints:
        status, _ = ask(base + endpoint["path"], headers)
        if status != endpoint["status"]:
            raise WrongError(f"{endpoint['path']} answered {status}, not {endpoint['status']}")
    return len(pages) + len(endpoints)


def demo_twice(starter: Starter, folder: Path, env: Mapping[str, str]) -> str:
    """The README's first command in an empty folder, twice on the same data. What was seen, in words."""
    took = 0.0
    for start in ("first", "second"):
        log = folder / f"demo-{start}.log"
        with running(starter.commands["demo"], folder, env, log) as process:
            address = wait_for_address(process, log)
            wait_for(address, process, log)
            asked = expect(starter, address)
            if not re.search(r"^ +[\w.@]+ +\S{8,}$", log.read_text("utf-8"), re.MULTILINE):
                raise WrongError(f"the demo named no account with its password:\n{log.read_text('utf-8')}")
            took = end(process)
        if "Traceback" in (printed := log.read_text("utf-8")):
            raise WrongError(f"the {start} demo printed a traceback:\n{printed[-4000:]}")
        log.unlink()
    return f"demo, twice on the same data: {asked} pages and endpoints as promised, ended {took:.1f} s after SIGTERM"


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the demo prints. The first `uv run` may have packages to install before."""
    deadline = time.monotonic() + 3 * STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8", "replace")):
            return found[0]
        time.sleep(0.1)
    raise WrongError(f"the demo printed no address:\n{log.read_text('utf-8', 'replace')[-4000:]}")


def serve(starter: Starter, folder: Path, env: Mapping[str, str]) -> str:
    """Production: refused without its settings; with them checked, migrated and served. What was seen, in words."""
    bare = subprocess.run(
        starter.commands["serve"].split(),
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if bare.returncode == 0 or "SECRET_KEY" not in bare.stderr or "Traceback" in bare.stderr:
        raise WrongError(f"serve without SECRET_KEY should refuse in one sentence, and said:\n{bare.stderr}")
    port = str(free_port())
    settings = {
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "starter.example",
        "TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_URL": "sqlite:///served.sqlite3",
        "PORT": port,
    }
    production = {**env, **settings, **starter.production}
    for command in (starter.commands["check"], starter.commands["migrate"], starter.commands["migrations"]):
        done = subprocess.run(
            command.split(), cwd=folder, env=production, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            raise WrongError(f"`{command}` failed:\n{done.stdout}{done.stderr}")
    log = folder / "serve.log"
    with running(starter.commands["serve"], folder, production, log) as process:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/livez", process, log)
        behind_proxy = {"Host": "starter.example", "X-Forwarded-Proto": "https"}
        asked = expect(starter, base, behind_proxy)
        for headers, wanted in ({"Host": "evil.example"}, 400), ({"Host": "starter.example"}, (301, 307, 308)):
            status, _ = ask(f"{base}/", headers)
            if status not in (wanted if isinstance(wanted, tuple) else (wanted,)):
                raise WrongError(f"/ with {headers} answered {status}, not {wanted}")
        took = end(process)
    log.unlink()
    return f"serve: {asked} pages and endpoints behind a proxy, ended {took:.1f} s after SIGTERM"
