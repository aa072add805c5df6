"""The application in processes of its own, for what only processes can show."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.servers import free_port, listening, wait_until

PROJECT = Path(__file__).parent.parent


class Processes:
    """A database, a folder, and the commands and servers that share them."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.env = os.environ | {
            "ENVIRONMENT": "test",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            **settings,
        }

    def run(self, *command: str) -> str:
        """What a command of manage.py prints. Raises AssertionError with what it printed when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *command: str, **settings: str) -> "subprocess.Popen[bytes]":
        """A command of manage.py, begun."""
        return subprocess.Popen([sys.executable, "manage.py", *command], cwd=PROJECT, env=self.env | settings)

    @contextmanager
    def serve(self, **settings: str) -> Iterator[str]:
        """The address of a server, until the block ends."""
        port = free_port()
        process = self.start("serve", HOST="127.0.0.1", PORT=str(port), **settings)
        try:
            wait_until(lambda: listening(port), process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def new_database(folder: Path) -> Iterator[str]:
    """The URL of an empty database of the kind that the tests run on."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgresql"):
        yield f"sqlite:///{folder / 'site.sqlite3'}"
        return
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
