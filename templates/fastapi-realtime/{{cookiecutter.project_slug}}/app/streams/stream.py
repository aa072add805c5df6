"""A stream of server-sent events: the same log and the same messages, for where a socket does not get through."""

import logging
import random
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query
from fastapi.sse import ServerSentEvent
from pydantic import StringConstraints
from sqlalchemy.exc import SQLAlchemyError

from app.accounts.permissions import SignedIn
from app.accounts.schemas import Person
from app.accounts.services import Caller
from app.live import schemas
from app.live.hub import Hub
from app.live.reader import MOST_ROOMS, Reader
from app.problems import Problem
from app.state import AppState

logger = logging.getLogger(__name__)

COME_BACK_WITHIN = 3000  # milliseconds; a different number for each, or all would come at once

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# `<room>.<after>` or `<room>.<after>.<epoch>`: what `subscribe` says on a socket.
Position = Annotated[str, StringConstraints(pattern=rf"^{UUID}\.[0-9]{{1,9}}(\.{UUID})?$")]


class Stream(Reader):
    """One open stream of a person who is signed in."""

    def __init__(self, caller: Caller, hub: Hub) -> None:
        super().__init__(caller, hub)
        self.first: list[schemas.FromServer] = [
            schemas.Hello(you=Person(id=self.caller.user_id, name=self.caller.name))
        ]

    async def sent_events(self) -> AsyncIterator[ServerSentEvent]:
        """The answers to what was asked, then what is due, until the session or the process ends."""
        for message in self.first:
            yield ServerSentEvent(raw_data=message.frame())
        while self._closing is None:
            self._work.clear()
            try:
                async for text, position in self.due():
                    yield ServerSentEvent(raw_data=text, id=position)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("A stream cannot read the log: %s", type(error).__name__)
                break
            if self._draining and not self._work.is_set():
                break
            await self._work.wait()
        # Whoever comes back to a session that has ended is answered 401, and stops.
        yield ServerSentEvent(retry=random.randint(1, COME_BACK_WITHIN))  # noqa: S311


async def open_stream(
    state: AppState,
    caller: SignedIn,
    room: Annotated[list[Position] | None, Query(max_length=MOST_ROOMS)] = None,
    last_event_id: Annotated[Position | None, Header()] = None,
) -> AsyncIterator[Stream]:
    """Connect, and follow the rooms before the answer begins, so that a refusal can still be one.

    `Last-Event-ID` is further than `after` in its own room. Of the others what came since the address was made comes
    once more; whoever applies only the next number does not mind.
    """
    stream = Stream(caller, state["hub"])
    last_room, last_seq = (last_event_id or ".").split(".")[:2]
    state["hub"].connect(stream)
    try:
        for position in room or ():
            name, after, *epoch = position.split(".")
            place = uuid.UUID(name)
            seen = int(last_seq) if name == last_room else int(after)
            try:
                stream.first.append(await stream.follow(place, seen, uuid.UUID(epoch[0]) if epoch else None))
            except Problem as error:
                stream.first.append(schemas.Failed(room=place, problem=error.as_dict()))
        yield stream
    finally:
        state["hub"].disconnect(stream)


OpenStream = Annotated[Stream, Depends(open_stream)]
