"""How Alembic reaches the database: without asyncio, one migration at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.database import Base
from app.extras import all_extras
from app.idempotency import models as _idempotency  # noqa: F401
from app.limits import models as _limits  # noqa: F401
from app.outbox import models as _outbox  # noqa: F401
from app.products import models as _products  # noqa: F401
from app.reservations import models as _reservations  # noqa: F401
from app.settings import Settings

all_extras()  # their tables
LOCK = 7_233_041  # any number, the same in every process that migrates this database


def run() -> None:
    """Run the migrations that were asked for, in one transaction."""
    url = context.config.attributes.get("url") or Settings().database
    engine = create_engine(url, poolclass=pool.NullPool, hide_parameters=True)
    with engine.begin() as connection:
        # Two replicas that start at once: the second waits here, then finds nothing to do.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        else:
            connection.execute(text("BEGIN IMMEDIATE"))
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            # SQLite can, Alembic does not expect it: a migration that fails leaves nothing half done.
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
