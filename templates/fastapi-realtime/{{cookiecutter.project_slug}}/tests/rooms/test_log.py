"""The log's one promise: numbers without a gap, visible in their order."""

import asyncio
import uuid

import pytest
from sqlalchemy import delete, select

from app.database import Database
from app.messages import services as messages
from app.rooms import log
from app.rooms.errors import RoomNotFound
from app.rooms.models import Event, Member, Room
from tests.conftest import Meet, Person
from tests.rooms.test_rooms import make_room


def message(room_id: uuid.UUID, person: Person, body: str) -> Event:
    return Event(room_id=room_id, kind="message", actor_id=person.id, client_id=f"client-{body}", body=body)


async def test_a_slow_writer_is_not_overtaken(meet: Meet, database: Database) -> None:
    """What a sequence of the whole database gets wrong: the fast writer's 3 is seen before the slow writer's 2."""
    ada = await meet("ada")
    room_id = uuid.UUID((await make_room(ada)).rpartition("/")[2])
    slow_has_its_number, may_commit = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.write() as session:
            await log.append(session, message(room_id, ada, "slow"))
            slow_has_its_number.set()
            await may_commit.wait()

    first = asyncio.create_task(slow())
    await slow_has_its_number.wait()
    second = asyncio.create_task(
        messages.publish(database, room_id=room_id, actor_id=ada.id, client_id="client-fast", body="fast")
    )
    await asyncio.sleep(0.2)
    assert not second.done(), "the second writer waits for the first"
    seen = [event.seq for event in await log.after(database, room_id=room_id, seq=0, limit=10)]
    assert seen == [1], "a reader sees neither"
    may_commit.set()
    await asyncio.gather(first, second)
    rest = await log.after(database, room_id=room_id, seq=seen[-1], limit=10)
    assert [(event.seq, event.body) for event in rest] == [(2, "slow"), (3, "fast")]


async def test_twenty_writers_at_once_number_without_a_gap(meet: Meet, database: Database) -> None:
    ada = await meet("ada")
    room_id = uuid.UUID((await make_room(ada)).rpartition("/")[2])
    await asyncio.gather(
        *(
            messages.publish(database, room_id=room_id, actor_id=ada.id, client_id=f"client-{n:03}", body=f"{n}")
            for n in range(20)
        )
    )
    async with database.read() as session:
        assert (await session.scalars(select(Event.seq).order_by(Event.seq))).all() == list(range(1, 22))
        assert await session.scalar(select(Room.seq)) == 21


async def test_who_is_shown_out_while_their_message_waits_says_nothing_more(meet: Meet, database: Database) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room_id = uuid.UUID((await make_room(ada, grace)).rpartition("/")[2])
    async with database.write() as session:
        await log.lock(session, room_id)
        late = asyncio.create_task(
            messages.publish(database, room_id=room_id, actor_id=grace.id, client_id="client-9", body="but")
        )
        await asyncio.sleep(0.2)
        assert not late.done(), "the message waits for the lock"
        await session.execute(delete(Member).where(Member.user_id == grace.id))
    with pytest.raises(RoomNotFound):
        await late
    events = await log.after(database, room_id=room_id, seq=0, limit=10)
    assert [event.kind for event in events] == ["joined", "joined"]
