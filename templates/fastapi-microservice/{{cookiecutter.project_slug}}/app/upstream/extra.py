"""Upstream: when a supplier has more, asked of another service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic_settings import BaseSettings, SettingsConfigDict

from app.extras import Extra
from app.state import State
from app.upstream.routes import router


class SupplierSettings(BaseSettings):
    """Where the supplier is; without it nobody is asked."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    supplier_url: str | None = None


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """A client for the life of the process, so that connections are kept."""
    if url := SupplierSettings().supplier_url:
        from app.upstream.client import Supplier  # noqa: PLC0415  not needed where nobody is asked

        async with Supplier.at(url) as supplier:
            state["extras"]["supplier"] = supplier
            yield
    else:
        yield


extra = Extra(router=router, lifespan=lifespan)
