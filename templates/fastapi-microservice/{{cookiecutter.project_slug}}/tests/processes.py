"""The application in a process of its own, for what only a process can show: kill -9, SIGTERM, a second start."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.servers import free_port, listening, wait_until

PROJECT = Path(__file__).parent.parent


class Application:
    """`python -m app <command>` on a free port, with these settings and no others."""

    def __init__(self, settings: Mapping[str, str], *, command: str = "serve", cwd: Path = PROJECT) -> None:
        self.settings = {"HOST": "127.0.0.1", "PORT": str(free_port()), "LOG_LEVEL": "WARNING", **settings}
        self.command = command
        self.cwd = cwd
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings['PORT']}"

    def start(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", self.command],
            cwd=self.cwd,
            env=clean_environment() | {"PYTHONPATH": str(PROJECT)} | self.settings,
        )
        wait_until(lambda: listening(int(self.settings["PORT"])), self.process)
        return self

    def command_once(self, command: str) -> None:
        """Another command with the same settings."""
        environment = clean_environment() | {"PYTHONPATH": str(PROJECT)} | self.settings
        subprocess.run([sys.executable, "-m", "app", command], cwd=self.cwd, env=environment, check=True)

    def kill(self) -> None:
        """As kill -9 does it: no handler runs, nothing is flushed."""
        self._end(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

    def stop(self) -> None:
        """As a deploy does it."""
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(sign)
            self.process.wait(15)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


def clean_environment() -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    from app.settings import Settings  # noqa: PLC0415  not needed by those who only want a port

    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.upper() not in ours}
