"""Plain: predictions with a member or a field for each input, for programs and for people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.extras import Extra
from app.plain.pages import router
from app.plain.routes import openapi, route
from app.state import State


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Describe the models that are served in the application's OpenAPI."""
    app = state["extras"]["app"]
    describe = app.openapi

    def with_models() -> dict[str, Any]:
        document = describe()
        return dict(document | {"paths": document["paths"] | openapi(state["shelf"])})

    app.openapi = with_models
    yield
    app.openapi = describe


extra = Extra(router=router, short_cuts=(route,), lifespan=lifespan, pages=(("/try", "Try it"),))
