"""The database: one engine per process, a way to read and one to write, and whether the schema is the code's."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    TypeDecorator,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from app.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

type SchemaState = Literal["ok", "missing", "stale"]

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
VERSIONS = Path(__file__).parent / "migrations" / "versions"
POOL_SIZE = 10
PROBE_SECONDS = 5
BUSY_SECONDS = 5.0  # how long an SQLite writer waits for another process before "database is locked"

# By when a request is to be answered.
limit_of_request: ContextVar[asyncio.Timeout | None] = ContextVar("limit_of_request", default=None)


class Base(DeclarativeBase):
    """The base of every table. Constraints have names, so that a migration can drop what another one made."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts INTEGER keys only, which are as long


class Instant(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both databases (SQLite forgets the zone, so it is put back on reading)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def now() -> datetime:
    """This moment, aware and in UTC."""
    return datetime.now(UTC)


class Database:
    """One engine and two ways in: `read()` for questions, `write()` for a transaction.

    `insert` is the dialect's own, which knows ON CONFLICT.
    """

    def __init__(self, url: URL, *, deadline: timedelta = timedelta(seconds=10)) -> None:
        self.on_sqlite = url.get_backend_name() == "sqlite"
        self.insert = sqlite.insert if self.on_sqlite else postgresql.insert
        # SQLite is to take the write lock at once: it ignores FOR UPDATE, and read-then-write would lose updates.
        self._begin = "BEGIN IMMEDIATE" if self.on_sqlite else "BEGIN"
        # No overflow: a flood of requests waits here, in order, and not at the database's own limit. No ping before
        # each use: it would cost as much as a question. After a restart the first to ask gets a 503 instead.
        self.engine = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            connect_args=sqlite_arguments(deadline) if self.on_sqlite else postgresql_arguments(deadline),
            hide_parameters=True,  # errors are logged, and what people sent is parameters
        )
        if self.on_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
        # SQLite has one writer. Within a process writers queue here, in order, instead of polling its lock.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.on_sqlite else nullcontext()

    def read(self) -> AsyncConnection:
        """A connection for questions, each statement for itself: `async with database.read() as connection`.

        A BEGIN and a ROLLBACK around a question would double its price, so no driver is to send them by itself.
        """
        return self.engine.connect()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction. It is committed when the block ends and rolled back when the block raises.

        The caller goes on only after the commit, so an answer sent after the block is never about nothing. A commit is
        not cut by the deadline of a request: it may be done already.
        """
        limit = limit_of_request.get()
        until = limit.when() if limit else None
        async with self._turn, self.engine.begin() as connection:
            await connection.exec_driver_sql(self._begin)
            yield connection
            if limit:
                limit.reschedule(None)
        if limit and until and until > asyncio.get_running_loop().time():
            limit.reschedule(until)

    async def schema(self) -> SchemaState:
        """Whether the tables are those of this code. Raises SQLAlchemyError or OSError when it does not answer."""
        async with asyncio.timeout(PROBE_SECONDS), self.read() as connection:
            return await connection.run_sync(schema_state)

    async def close(self) -> None:
        await self.engine.dispose()


def sqlite_arguments(deadline: timedelta) -> dict[str, Any]:
    """Nobody waits longer for another process's lock than for the answer: a thread that waits cannot be cut."""
    return {"timeout": min(BUSY_SECONDS, deadline.total_seconds())}


def postgresql_arguments(deadline: timedelta) -> dict[str, Any]:
    """No statement outlives the request that it is for, and a host that is gone holds no connection for minutes."""
    milliseconds = int(deadline.total_seconds() * 1000)
    limits = f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={2 * milliseconds}"
    limits += " -c timezone=UTC"  # whatever the server's is: instants are read in it
    return {"autocommit": True, "connect_timeout": 5, "tcp_user_timeout": 10_000, "options": limits}


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def migrations() -> "Config":
    """Alembic's configuration, from pyproject.toml. Only commands need Alembic: no server imports it."""
    from alembic.config import Config  # noqa: PLC0415

    return Config(toml_file=PYPROJECT)


def migrate(settings: Settings) -> None:
    """Bring the schema to the newest migration; the database file is made when it is not there."""
    import alembic.command  # noqa: PLC0415

    if settings.database.drivername == "sqlite" and settings.database.database:
        Path(settings.database.database).parent.mkdir(parents=True, exist_ok=True)
    config = migrations()
    config.attributes["url"] = settings.database
    alembic.command.upgrade(config, "head")


def schema_state(connection: Connection) -> SchemaState:
    """`missing` before the first migration, `stale` when this code knows newer ones.

    A revision that this code does not know is newer than the code (a deploy is under way): that is `ok`.
    """
    current = None
    if inspect(connection).has_table("alembic_version"):
        current = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if current is None:
        return "missing"
    return "stale" if current in _older_revisions() else "ok"


@cache
def _older_revisions() -> frozenset[str]:
    """Those that another migration follows."""
    texts = [file.read_text("utf-8") for file in VERSIONS.glob("*.py")]
    follows = re.compile(r'^down_revision\b.* = "(.+)"', re.MULTILINE)
    return frozenset(found for each in texts for found in follows.findall(each))
