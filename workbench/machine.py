"""Where projects are run: the environment without what would leak in, an interpreter, a folder outside the checkout."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Git as somebody has configured it: signed commits would ask, and hooks are for other repositories.
GIT = ["git", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main"]
SETTINGS = {"ENVIRONMENT", "SECRET_KEY", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "DATABASE_URL", "VALKEY_URL", "NATS_URL"}
SETTINGS |= {"HOST", "PORT", "WEB_CONCURRENCY", "LOG_LEVEL", "BROKER", "METRICS_TOKEN"}


def environment(**more: str | Path) -> dict[str, str]:
    """The caller's environment without what would leak into a project, and with the interpreters that pyenv holds."""
    leaks = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", *SETTINGS}
    # Without compiled files each of the many processes that the tests start would compile everything anew.
    leaks.add("PYTHONDONTWRITEBYTECODE")
    env = {name: value for name, value in os.environ.items() if name not in leaks and not name.startswith("GIT_")}
    pyenv = Path(env.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    # Behind the PATH: whoever has chosen an interpreter keeps it. pyenv's own shims fail for versions not activated.
    paths = [str(Path(sys.executable).parent), env.get("PATH", ""), *sorted(map(str, pyenv.glob("3.1*/bin")))]
    return env | {"PATH": os.pathsep.join(paths)} | {name: str(value) for name, value in more.items()}


def find_python(wanted: Sequence[str]) -> str | None:
    """The first of these versions that there is, or else the first if uv can get it; None without any."""
    find = ["uv", "python", "find", "--no-project", "--no-python-downloads"]
    for version in wanted:
        found = subprocess.run([*find, version], env=environment(), capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.strip()
    get = ["uv", "python", "install", wanted[0]]
    got = subprocess.run(get, env=environment(), capture_output=True, text=True, check=False)
    return wanted[0] if got.returncode == 0 else None


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """A folder outside the checkout. It is deleted, unless something failed: then it is there to be looked at."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    # The tests' servers run as an unprivileged user when we are root, and must get through to their own folders.
    folder.chmod(0o711)
    temporary(folder)["TMPDIR"].mkdir(mode=0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def temporary(folder: Path) -> dict[str, Path]:
    """Where what is started puts its temporary files (cookiecutter and uv leave some), on any system."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder / "tmp")
