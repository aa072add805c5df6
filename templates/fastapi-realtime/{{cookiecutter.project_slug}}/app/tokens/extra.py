"""Tokens: what programs sign in with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.accounts.services import Caller, authenticate
from app.extras import Extra
from app.state import State
from app.tokens.routes import router


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Let bearer tokens be asked for among the sessions."""

    async def program(secret: str) -> Caller | None:
        return await authenticate(state["database"], key=state["settings"].secret_key, secret=secret, kind="program")

    state["bearers"].append(program)
    yield


extra = Extra(router=router, lifespan=lifespan)
