"""The rules of presence: each process writes down who is here through it, and it counts for `LASTS`."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import batched

from sqlalchemy import delete, literal, select, tuple_, update

from app.accounts.models import User
from app.accounts.schemas import Person
from app.database import Database, now
from app.presence.models import Presence
from app.rooms.models import Member

BATCH = 1000
LASTS = timedelta(seconds=15)  # after kill -9, somebody seems to be here for that much longer

type Place = tuple[uuid.UUID, uuid.UUID]
"""A room and somebody in it."""


async def write_down(
    database: Database, *, process_id: uuid.UUID, new: Collection[Place], stay: Collection[Place], gone: Iterable[Place]
) -> None:
    """Who has come through this process, who is still here, and who has gone.

    Rows that nobody kept up, whose process died, go as well.
    """
    until = now() + LASTS
    async with database.write() as session:
        await session.execute(delete(Presence).where(Presence.expires_at < now()))
        for room_id, user_id in gone:
            mine = (Presence.room_id == room_id, Presence.user_id == user_id, Presence.process_id == process_id)
            await session.execute(delete(Presence).where(*mine))
        if stay:
            again = update(Presence).where(Presence.process_id == process_id).values(expires_at=until)
            kept = (await session.scalars(again.returning(literal(1)))).all()
            if len(kept) < len(stay):  # after a long pause the rows were swept away
                new = {*new, *stay}
        # Members only: whoever was shown out, or whose room is gone, in this very moment is no fault.
        lasting = literal(until, type_=Presence.expires_at.type)
        members = select(Member.room_id, Member.user_id, literal(process_id), lasting)
        for some in batched(sorted(new), BATCH):
            rows = members.where(tuple_(Member.room_id, Member.user_id).in_(some))
            columns = ["room_id", "user_id", "process_id", "expires_at"]
            statement = database.insert(Presence).from_select(columns, rows)
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=columns[:3], set_={"expires_at": statement.excluded.expires_at}
                )
            )


async def present(database: Database, room_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Person]]:
    """Who is in each of these rooms, through whatever process, by name."""
    query = (
        select(Presence.room_id, User.id, User.name)
        .join(User, User.id == Presence.user_id)
        .where(Presence.room_id.in_(room_ids), Presence.expires_at > now())
        .distinct()
        .order_by(User.name)
    )
    found: dict[uuid.UUID, list[Person]] = defaultdict(list)
    async with database.read() as session:
        for room_id, user_id, name in await session.execute(query):
            found[room_id].append(Person(id=user_id, name=name))
    return found
