"""People to be."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2
import pytest
from argon2 import PasswordHasher

from app.accounts import services as accounts
from app.database import Database
from tests.conftest import PATIENCE

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """argon2 with its smallest parameters: what it costs is its own business, and tested there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "passwords", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@dataclass
class Person:
    """Somebody with an account, and a client that is signed in as them, as a browser would be."""

    id: uuid.UUID
    name: str
    client: httpx2.AsyncClient

    @property
    def cookie(self) -> str:
        return f"session={self.client.cookies['session']}"


type Meet = Callable[[str], Awaitable[Person]]


@pytest.fixture
async def meet(server: str, database: Database) -> AsyncIterator[Meet]:
    """Makes people: `ada = await meet("ada")`."""
    async with AsyncExitStack() as stack:

        async def make(name: str) -> Person:
            user = await accounts.create_user(database, name=name, password=PASSWORD)
            client = await stack.enter_async_context(httpx2.AsyncClient(base_url=server, timeout=PATIENCE))
            answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            return Person(user.id, name, client)

        yield make
