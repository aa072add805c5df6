"""What every test may use: a database of its own, the real server on a real port, callers with tokens.

Tests commit like everybody else, and after each one every table is emptied: a transaction that is rolled back would
hide what fails only at the commit. The database is always one that the tests made themselves.
"""

import asyncio
import os
import secrets
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import psycopg
import pytest
import uvicorn
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.engine import make_url

from app.__main__ import how_to_serve
from app.auth.issuer import issue
from app.database import Base, Database, migrate, now
from app.main import create_app
from app.reservations.models import Reservation
from app.settings import Settings
from tests import servers
from tests.processes import Application

pytest_plugins = ["tests.browser.fixtures"]

PATIENCE = 30.0  # seconds; on a busy machine things take their time
HOUR = timedelta(hours=1)
BOTH = "stock:read stock:write"


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
def settings(database_url: str) -> Settings:
    """The settings of the run; the schema is made by the migrations, as in production."""
    settings = Settings(
        _env_file=None,
        environment="test",
        secret_key=SecretStr(secrets.token_hex(32)),
        allowed_hosts=("localhost", "127.0.0.1"),
        database_url=database_url,
        rate_limit="1000000/60",
        deadline_seconds=PATIENCE,
        drain_seconds=0,
    )
    migrate(settings)
    return settings


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A way to the database beside the server's own, to arrange and to look."""
    database = Database(settings.async_database)
    yield database
    await database.close()


@pytest.fixture(autouse=True)
async def empty_tables(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[None]:
    yield
    if "contract" in request.path.parts:
        return  # its tests leave each other in peace, and some want a table that is not empty
    async with database.write() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "allowances":  # what is taken stays taken in the memory of the server
                await connection.execute(table.delete())


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
async def program(server: str, settings: Settings) -> AsyncIterator[Connect]:
    """Makes callers: `client = await program()`, `await program("stock:read", name="somebody")`."""
    async with AsyncExitStack() as stack:

        async def make(scope: str = BOTH, *, name: str = "writer", at: str = "") -> httpx2.AsyncClient:
            headers = {"Authorization": f"Bearer {issue(settings, name, scope=scope, lasts=HOUR)}"}
            return await stack.enter_async_context(
                httpx2.AsyncClient(base_url=at or server, headers=headers, timeout=PATIENCE)
            )

        yield make


@pytest.fixture
async def writer(program: Connect) -> httpx2.AsyncClient:
    """A caller that may do everything."""
    return await program()


def once() -> dict[str, str]:
    """The header of something that is to be done once."""
    return {"Idempotency-Key": str(uuid.uuid4())}


async def a_product(client: httpx2.AsyncClient, *, on_hand: int = 0, sku: str = "") -> dict[str, Any]:
    """A new product, with so many on hand."""
    sku = sku or f"TEST-{secrets.token_hex(6).upper()}"
    made = await client.post("/api/v1/products", json={"sku": sku, "name": "Green tea"})
    assert made.status_code == 201, made.text
    product: dict[str, Any] = made.json()
    if on_hand:
        received = {"kind": "receive", "quantity": on_hand}
        moved = await client.post(f"/api/v1/products/{product['id']}/movements", json=received, headers=once())
        assert moved.status_code == 201, moved.text
    return product


async def a_hold(
    client: httpx2.AsyncClient, product: Mapping[str, Any], quantity: int = 1, **more: int
) -> dict[str, Any]:
    """Some of a product, put aside."""
    body = {"product_id": product["id"], "quantity": quantity, **more}
    held = await client.post("/api/v1/reservations", json=body, headers=once())
    assert held.status_code == 201, held.text
    reservation: dict[str, Any] = held.json()
    return reservation


async def overdue(database: Database, reservation: Mapping[str, Any]) -> None:
    """Its time is over, and nobody has noticed."""
    async with database.write() as connection:
        past = update(Reservation).where(Reservation.id == reservation["id"])
        await connection.execute(past.values(expires_at=now() - timedelta(seconds=1)))


def served(settings: Settings, **more: str) -> Application:
    """The application on the tests' database, in a process of its own."""
    return Application(
        {
            "ENVIRONMENT": "test",
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": settings.database_url,
            "RATE_LIMIT": settings.rate_limit,
            "DRAIN_SECONDS": "0",
            **more,
        }
    )


@pytest.fixture(scope="session")
def contract_server(settings: Settings) -> Iterator[dict[str, Any]]:
    """What the suite in `tests/contract/` asks for: the project, served for real, and tokens for it."""
    tokens = {
        "writer": issue(settings, "writer", lasts=HOUR),
        "reader": issue(settings, "reader", scope="stock:read", lasts=HOUR),
        "other": issue(settings, "other", lasts=HOUR),
        "nobody": issue(settings, "nobody", scope="", lasts=HOUR),
        "expired": issue(settings, "writer", lasts=-HOUR),
    }
    with served(settings) as plenty, served(settings, RATE_LIMIT="20/60") as little:
        yield {"url": plenty.url, "limited_url": little.url, "tokens": tokens}


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
