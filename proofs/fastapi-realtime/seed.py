"""Run in the generated project: people, their sessions, a room that all are in. Prints JSON: {room, cookies}."""

import asyncio
import json
import sys
import uuid
from datetime import timedelta

from app.accounts.models import User
from app.accounts.services import open_session
from app.database import Database, migrate
from app.rooms.models import Member, Room
from app.settings import Settings


async def main(number: int) -> None:
    settings = Settings()
    migrate(settings)
    database = Database(settings.async_database)
    cookies = []
    async with database.write() as session:
        users = [
            User(id=uuid.uuid4(), name=f"user-{each}-{uuid.uuid4().hex[:6]}", password_hash="-")
            for each in range(number)
        ]
        room = Room(id=uuid.uuid4(), name="The crowd")
        session.add_all([*users, room])
        await session.flush()
        for user in users:
            session.add(Member(room_id=room.id, user_id=user.id, role="owner" if user is users[0] else "member"))
            _, secret = await open_session(
                session, key=settings.secret_key, user=user, kind="browser", lasts=timedelta(days=1)
            )
            cookies.append(secret)
    await database.close()
    print(json.dumps({"room": str(room.id), "cookies": cookies}))


asyncio.run(main(int(sys.argv[1])))
