"""A project's image: built, looked at, and run as in production, by Docker or, without its engine, by buildah."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.real import WrongError, ask, free_port
from workbench.starters import Starter

BUILDAH = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
STARTS_WITHIN = 60.0
ENDS_WITHIN = 3.5
# As root, in a mount namespace of its own: everything is read-only but /tmp and /data, and nothing runs as root.
ENTER = """
set -eu
root=$1 user=$2; shift 2
mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp"; mount -t tmpfs -o uid="$user" tmpfs "$root/data"
mount --bind /dev "$root/dev"; mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
cd "$root"; exec chroot --userspec="$user:$user" . "$@"
"""


def engine() -> str | None:
    """`docker` where its engine answers, else `buildah` where there is one and we are root, else None."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return "docker"
    return "buildah" if shutil.which("buildah") and os.geteuid() == 0 else None


def output(*command: str, env: Mapping[str, str]) -> str:
    return subprocess.run(command, env=dict(env), check=True, capture_output=True, text=True).stdout.strip()


class Image:
    """An image that was built, under a name of its own; `remove` it in the end."""

    def __init__(self, with_: str, project: Path, env: Mapping[str, str]) -> None:
        self.by, self.name = with_, f"localhost/workbench-{uuid.uuid4().hex[:12]}:latest"
        self._env = {**env, **BUILDAH}
        options = ["build", "-q"] if self.by == "docker" else ["bud", "-q", "--format", "docker", "--pull=missing"]
        done = subprocess.run(
            [self.by, *options, "-t", self.name, str(project)],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WrongError(f"the image was not built:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

    def remove(self) -> None:
        subprocess.run([self.by, "rmi", "-f", self.name], env=self._env, capture_output=True, check=False)

    def facts(self) -> dict[str, Any]:
        """What the image says of itself: `User`, `Healthcheck`, `Env`, `Cmd` …"""
        options = ["image", "inspect"] if self.by == "docker" else ["inspect", "--type", "image"]
        found = json.loads(output(self.by, *options, self.name, env=self._env))
        config: dict[str, Any] = found[0]["Config"] if self.by == "docker" else found["Docker"]["config"]
        return config

    def size(self) -> str:
        return output(self.by, "images", "--format", "{{.Size}}", self.name.removesuffix(":latest"), env=self._env)

    @contextmanager
    def container(self, port: int) -> Iterator[list[str]]:
        """What to put before a command, to run it in one container: not as root, with a read-only root file system.

        The port of the container is that of this machine.
        """
        user = str(self.facts()["User"])
        if self.by == "docker":
            locked = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
            name = self.name.partition("/")[2].removesuffix(":latest")
            try:
                yield ["docker", "run", f"--name={name}", f"--publish=127.0.0.1:{port}:{port}", *locked, self.name]
            finally:
                subprocess.run(["docker", "rm", "-f", name], env=self._env, capture_output=True, check=False)
            return
        container = output("buildah", "from", "--pull-never", self.name, env=self._env)
        try:
            root = output("buildah", "mount", container, env=self._env)
            yield ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter", root, user]
        finally:
            output("buildah", "rm", container, env=self._env)


def check(with_: str, starter: Starter, project: Path, env: Mapping[str, str]) -> str:
    """Build the project's image and hold it to what an image has to be. Raises WrongError."""
    image = Image(with_, project, env)
    try:
        facts = image.facts()
        if str(facts.get("User") or "root").partition(":")[0] in ("root", "0"):
            raise WrongError("the image runs as root")
        health = facts.get("Healthcheck")
        if not isinstance(health, dict):
            raise WrongError("the image has no HEALTHCHECK")
        port = free_port()
        with image.container(port) as inside:
            # In the image there is no uv, and the project's Python is the first in the PATH.
            migrate = re.sub(r"^uv run (python )?", "python ", starter.commands["migrate"])
            # As the image has its settings, and those that production demands.
            facts = facts | {"Env": [*facts["Env"], *(f"{name}={value}" for name, value in starter.production.items())]}
            found = run_it(inside, port, facts, health["Test"][1:], migrate)
        return f"image of {image.size()}, by {with_}: {found}"
    finally:
        image.remove()


def run_it(inside: list[str], port: int, facts: Mapping[str, Any], health: list[str], migrate: str) -> str:
    """In the container: no compiler, no file of ours that we may write, migrate, serve, ready, healthy, a quick end."""
    host = "0.0.0.0" if inside[0] == "docker" else "127.0.0.1"  # noqa: S104  inside, it is published on the loopback
    own = dict(str(each).split("=", 1) for each in facts["Env"])
    settings = {"SECRET_KEY": secrets.token_hex(32), "ALLOWED_HOSTS": "127.0.0.1", "HOST": host, "PORT": str(port)}
    variables = [f"{name}={value}" for name, value in (own | settings).items()]
    folder = str(facts.get("WorkingDir") or "/")
    script = rf"""
cd {folder}
for each in cc gcc clang make; do command -v $each && {{ echo "there is a compiler: $each"; exit 90; }}; done
[ "$(id -u)" != 0 ] || {{ echo "we are root"; exit 91; }}
touch /written 2>/dev/null && {{ echo "the root file system can be written"; exit 92; }}
# Where somebody forgets --read-only, the files of the image are still not ours.
ours=$(find {folder} /usr ! -type l \( -user "$(id -u)" -o -perm -o+w \) -print 2>/dev/null | head -n 1)
[ -z "$ours" ] || {{ echo "in the image, $ours can be written"; exit 94; }}
{migrate} || exit 93
(until {" ".join(map(_quoted, health))} 2>/dev/null; do sleep 0.5; done; echo healthy) &
exec {" ".join(map(str, facts["Cmd"]))}
"""
    command = [*inside, "env", "-i", *variables, "sh", "-c", script]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        started = time.monotonic()
        while True:
            try:
                if ask(f"http://127.0.0.1:{port}/readyz")[0] == 200:
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() - started > STARTS_WITHIN:
                process.kill()
                raise WrongError(f"the container is not ready:\n{process.communicate()[0][-4000:]}")
            time.sleep(0.2)
        ready = time.monotonic() - started
        printed = _until_healthy(process)
        stopping = time.monotonic()
        # Docker hands the signal on; with the other nothing stands between.
        for pid in [process.pid] if inside[0] == "docker" else _serving(str(port)):
            os.kill(pid, signal.SIGTERM)
        try:
            printed += process.communicate(timeout=ENDS_WITHIN * 3)[0]
        except subprocess.TimeoutExpired:
            raise WrongError(f"the container did not end within {ENDS_WITHIN * 3} s of SIGTERM") from None
        took = time.monotonic() - stopping
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if took > ENDS_WITHIN:
        raise WrongError(f"the container ended {took:.1f} s after SIGTERM")
    return f"not root, nothing to write, no compiler; ready after {ready:.1f} s, ended {took:.1f} s after SIGTERM"


def _until_healthy(process: "subprocess.Popen[str]") -> str:
    """What was printed until the health check succeeds. Raises WrongError when that does not come."""
    too_long = threading.Timer(STARTS_WITHIN, os.killpg, (process.pid, signal.SIGKILL))
    too_long.start()
    printed = ""
    try:
        for line in process.stdout or ():
            printed += line
            if line == "healthy\n":
                return printed
    finally:
        too_long.cancel()
    raise WrongError(f"the HEALTHCHECK fails on a server that is ready:\n{printed[-4000:]}")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _serving(port: str) -> list[int]:
    """The processes that have this port in their environment and serve, wherever they are."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (place / "cmdline").read_bytes().split(b"\0")
            environment = (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"serve" in arguments and f"PORT={port}".encode() in environment and re.search(rb"python", arguments[0]):
            found.append(int(place.name))
    return found
