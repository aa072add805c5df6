"""Whatever a client does, and whenever its line breaks: it applies 1..N, each once, in order. Plans by Hypothesis."""

import uuid
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.live import hub, socket
from tests.conftest import Meet, Person
from tests.live.fixtures import Client, Connect
from tests.live.test_following import room_id
from tests.rooms.test_rooms import make_room

STEPS = ("publish", "retry", "read", "break_", "follow_again")


def plans(*steps: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    """What one of three clients does next, some times."""
    return st.lists(st.tuples(st.sampled_from(steps), st.integers(0, 2)), max_size=30)


class Walk:
    """Three clients of a room, each through all its lines. What a client applied stays; `Client` fails on a gap."""

    def __init__(self, room: str, person: Person, online: Connect, lines: AsyncExitStack) -> None:
        self.room, self.person, self.online, self.lines = room, person, online, lines
        self.clients: list[Client | None] = [None, None, None]
        self.applied = [0, 0, 0]
        self.committed, self.said, self.last_id = 1, 0, ""

    async def client(self, who: int) -> Client:
        client = self.clients[who]
        if client is None:
            client = await self.lines.enter_async_context(self.online(self.person))
            await client.follow(self.room, after=self.applied[who])
            self.clients[who] = client
        return client

    async def step(self, name: str, who: int) -> None:
        client = await self.client(who)
        await getattr(self, name)(client, who)
        self.applied[who] = client.applied

    async def publish(self, client: Client, _: int) -> None:
        self.last_id = uuid.uuid4().hex
        self.said = self.committed = await client.say(self.room, "words", self.last_id)

    async def retry(self, client: Client, _: int) -> None:
        if self.last_id:
            assert await client.say(self.room, "words", self.last_id) == self.said

    async def read(self, client: Client, _: int) -> None:
        await client.until(min(client.applied + 2, self.committed))

    async def break_(self, client: Client, who: int) -> None:
        client.socket.transport.abort()
        self.clients[who] = None

    async def follow_again(self, client: Client, _: int) -> None:
        await client.follow(self.room, after=client.applied)

    async def carry_out(self, plan: list[tuple[str, int]]) -> None:
        """Take all steps; then everybody reads to the end."""
        for name, who in plan:
            await self.step(name, who)
        for who in range(3):
            client = await self.client(who)
            await client.until(self.committed)
            assert client.applied == self.committed
            client.socket.transport.abort()


@pytest.mark.parametrize("ring", [2, 512])
@given(plan=plans(*STEPS))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_plan_ends_with_everything_applied_once(
    meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch, ring: int, plan: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(hub, "RING", ring)
    monkeypatch.setattr(hub, "PAGE", 3)
    monkeypatch.setattr(socket, "BURST", 1_000_000)
    ada = await meet(f"ada-{uuid.uuid4().hex[:12]}")
    async with AsyncExitStack() as lines:
        await Walk(room_id(await make_room(ada)), ada, online, lines).carry_out(plan)
