"""The journal: what was foretold, to whom and by which version."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.extras import Extra
from app.journal import models as _models  # noqa: F401  the table
from app.journal.services import Journal
from app.state import State, rest


class JournalSettings(BaseSettings):
    """For how many days predictions are kept."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    prediction_log_days: PositiveInt = 30


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Note every prediction, and write behind the answers; at the end, what is left."""
    journal = Journal(state["database"], state["counters"], days=JournalSettings().prediction_log_days)
    state["observers"].append(journal.note)
    state["extras"]["journal"] = journal
    task = asyncio.create_task(journal.run())
    yield
    await rest(task, journal.busy)
    await journal.last()


extra = Extra(lifespan=lifespan)
