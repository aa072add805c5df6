"""The hub by itself: what no client could bring about at will."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.accounts.services import Caller
from app.broker import Hint
from app.database import Database, now
from app.live import hub
from app.live.reader import Reader
from app.messages.services import publish
from app.rooms import log
from app.rooms.models import Event
from app.settings import Settings
from tests.conftest import Meet
from tests.live.test_following import room_id
from tests.rooms.test_rooms import make_room


async def test_what_is_said_while_the_log_is_read_is_handed_on_once(
    meet: Meet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes by its hint, and with what was just being read."""
    ada = await meet("ada")
    room = uuid.UUID(room_id(await make_room(ada)))
    heard: list[int] = []
    news = asyncio.Event()
    read = log.after

    class Ear(Reader):
        def deliver(self, room_id: uuid.UUID, frames: Sequence[hub.Frame]) -> None:
            assert room_id == room
            heard.extend(frame.seq for frame in frames)
            news.set()

    async def said_meanwhile(database: Database, *, room_id: uuid.UUID, seq: int, limit: int) -> Sequence[Event]:
        monkeypatch.setattr(log, "after", read)
        await publish(database, room_id=room_id, actor_id=ada.id, client_id="meanwhile", body="but")
        return await read(database, room_id=room_id, seq=seq, limit=limit)

    database = Database(settings.async_database)
    of_process = hub.Hub(database)
    ear = Ear(Caller(ada.id, "ada", uuid.uuid4(), "browser", now() + timedelta(hours=1)), of_process)
    of_process.connect(ear)
    of_process.follow(ear, room, 1)
    monkeypatch.setattr(log, "after", said_meanwhile)
    running = asyncio.create_task(of_process.run())
    database.broker.announce(Hint("room", room))
    await asyncio.wait_for(news.wait(), 10)
    await asyncio.sleep(0.3)
    of_process.stop()
    await running
    kept = [frame.seq for frame in await of_process.events(room, 1)]
    await database.close()
    assert heard == kept == [2]
