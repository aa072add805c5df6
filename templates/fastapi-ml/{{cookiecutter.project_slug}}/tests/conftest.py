"""What every test may use: a database of its own, the real server on a real port, programs with keys, models.

Tests commit like everybody else, and after each one every table is emptied: a transaction that is rolled back would
hide what fails only at the commit. The database is always one that the tests made themselves.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Protocol

import httpx2
import psycopg
import pytest
import uvicorn
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.__main__ import how_to_serve
from app.database import Base, Database, migrate
from app.keys import services as keys
from app.keys.services import Scope
from app.main import create_app
from app.registry import services as registry
from app.registry.files import Files, once
from app.serving import shelf
from app.settings import Settings
from tests import servers
from tests.models import Made

pytest_plugins = ["tests.browser.fixtures"]

PATIENCE = 30.0  # seconds; on a busy machine things take their time


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="postgresql: a server of the tests' own, or a new database on the server of DATABASE_URL",
    )


@pytest.fixture(scope="session")
def on_postgresql(request: pytest.FixtureRequest) -> bool:
    return str(request.config.getoption("--database")) == "postgresql"


@pytest.fixture(scope="session")
def database_url(on_postgresql: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database that nobody else uses."""
    given = os.environ.get("DATABASE_URL", "")
    if not on_postgresql:
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}"
    elif given.startswith("postgresql://"):
        with fresh_database(given) as url:
            yield url
    else:
        with servers.postgresql() as server, fresh_database(server) as url:
            yield url


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the run; the schema is made by the migrations, as in production."""
    settings = Settings(
        _env_file=None,
        environment="test",
        secret_key=SecretStr(secrets.token_hex(32)),
        allowed_hosts=("localhost", "127.0.0.1"),
        database_url=database_url,
        model_folder=tmp_path_factory.mktemp("models"),
        deadline_seconds=PATIENCE,
    )
    migrate(settings)
    return settings


@pytest.fixture(scope="session", autouse=True)
def quick_looks() -> Iterator[None]:
    """The tests' own server looks often what is to be served. Others, in processes of their own, look once a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "LOOK_EVERY", 0.05)
        yield


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A way to the database beside the server's own, to arrange and to look."""
    database = Database(settings.async_database)
    yield database
    await database.close()


@pytest.fixture(autouse=True)
async def empty_tables(database: Database) -> AsyncIterator[None]:
    yield
    for attempt in range(5):
        try:
            async with database.write() as session:
                for table in reversed(Base.metadata.sorted_tables):
                    await session.execute(table.delete())
            break
        except OperationalError:
            # A server that is just noting who is present holds rows in another order: one of the two has to try again.
            if attempt == 4:
                raise


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The application behind uvicorn on a free port, in this event loop. Yields its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), **how_to_serve(settings) | {"log_config": None}))
    # Without the protocol's number asyncio leaves Nagle's algorithm on, and each answer takes 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture(scope="session")
async def server(settings: Settings) -> AsyncIterator[str]:
    """The address of the application."""
    async with serving(settings) as address:
        yield address


@pytest.fixture
async def anonymous(server: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that is nobody."""
    async with httpx2.AsyncClient(base_url=server, timeout=PATIENCE) as client:
        yield client


type Connect = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def program(server: str, database: Database, settings: Settings) -> AsyncIterator[Connect]:
    """Makes programs with a key: `client = await program("admin")`."""
    async with AsyncExitStack() as stack:

        async def make(scope: Scope = "predict", *, per_minute: int = 100_000, at: str = "") -> httpx2.AsyncClient:
            headers = {"Authorization": f"Bearer {await a_key(database, settings, scope, per_minute=per_minute)}"}
            return await stack.enter_async_context(
                httpx2.AsyncClient(base_url=at or server, headers=headers, timeout=PATIENCE)
            )

        yield make


async def a_key(database: Database, settings: Settings, scope: Scope = "predict", *, per_minute: int = 100_000) -> str:
    """The secret of a new key."""
    label, lasts, secret_key = secrets.token_hex(4), timedelta(days=1), settings.secret_key
    return await keys.create_key(
        database, secret_key=secret_key, label=label, scope=scope, per_minute=per_minute, lasts=lasts
    )


class Serve(Protocol):
    """Registers models and promotes the first: `name = await serve(doubling())`."""

    def __call__(self, *models: Made, name: str = "", promote: bool = True) -> Awaitable[str]: ...


@pytest.fixture
def serve(server: str, settings: Settings, database: Database) -> Serve:
    """Names are never the same, since the server remembers a model for a second after its rows are gone."""

    async def register(*models: Made, name: str = "", promote: bool = True) -> str:
        name, files = name or f"model-{secrets.token_hex(4)}", Files(settings.model_folder)
        for made in models:
            await files.write(made.sha256, once(made.content))
            await registry.register(database, files, name=name, sha256=made.sha256, card=made.card, by="test")
        if promote:
            await registry.promote(database, files, name=name, number=1, by="test")
            async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(base_url=server, timeout=PATIENCE) as client:
                while (await client.get("/live")).json().get(name, {}).get("version") != 1:
                    await asyncio.sleep(0.02)
        return name

    return register


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """A new database on a PostgreSQL server, dropped when the block ends."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
