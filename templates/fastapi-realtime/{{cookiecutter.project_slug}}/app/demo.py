"""What `demo` shows: three people, their rooms and what they said."""

import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from app.accounts import services as accounts
from app.broker import Broker
from app.database import Database, now
from app.rooms import log
from app.rooms import services as rooms
from app.rooms.models import Event
from app.settings import Settings

FOLDER = Path(".demo")
DATABASE_URL = f"sqlite:///{FOLDER.as_posix()}/data.sqlite3"

EXAMPLE = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))


class NotHereError(Exception):
    """The demo would touch what is not its own."""


@dataclass(frozen=True)
class Person:
    """An account of the demo, with a password of its own."""

    name: str
    password: str


def settings(*, port: int) -> Settings:
    """The demo's settings, in the environment for the processes that it starts. Raises NotHereError."""
    given = Settings()
    if "environment" in given.model_fields_set and given.production:
        raise NotHereError("This is production: the demo makes accounts and must not run here.")
    if "database_url" in given.model_fields_set and given.database_url != DATABASE_URL:
        raise NotHereError("DATABASE_URL names a database that the demo did not make. Unset it to see the demo.")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    kept = FOLDER / "secret"
    if not kept.exists():
        _keep(kept, secrets.token_urlsafe(48))
    os.environ.update(
        ENVIRONMENT="development",
        DATABASE_URL=DATABASE_URL,
        SECRET_KEY=kept.read_text(),
        ALLOWED_HOSTS="",
        HOST="127.0.0.1",
        PORT=str(port),
    )
    return Settings()


async def load(settings: Settings) -> list[Person]:
    """The people, made the first time with their rooms. Later starts change nothing: whoever is signed in stays so."""
    kept = FOLDER / "people.json"
    if not kept.exists():
        people = [Person(name, secrets.token_urlsafe(9)) for name in EXAMPLE["people"]]
        database = Database(settings.async_database)
        try:
            users = [await accounts.create_user(database, name=each.name, password=each.password) for each in people]
            await _talk(database, {user.name: user.id for user in users})
        finally:
            await database.close()
        _keep(kept, json.dumps([asdict(person) for person in people]))
    return [Person(**person) for person in json.loads(kept.read_text())]


def _keep(file: Path, text: str) -> None:
    """Write what only its owner may read."""
    file.touch(mode=0o600)
    file.write_text(text)


async def _talk(database: Database, ids: dict[str, uuid.UUID]) -> None:
    """The rooms, and what was said there some hours ago."""
    for room in EXAMPLE["rooms"]:
        owner, *others = room["members"]
        place = (await rooms.create_room(database, name=room["name"], owner_id=ids[owner])).room.id
        for name in others:
            await rooms.add_member(database, Broker(), room_id=place, actor_id=ids[owner], name=name)
        async with database.write() as session:
            for number, said in enumerate(room["said"]):
                event = Event(room_id=place, kind="message", actor_id=ids[said["by"]], body=said["body"])
                event.client_id = f"example-{number}"
                event.created_at = now() - timedelta(hours=said["hours_ago"], minutes=-number)
                await log.append(session, event)


def welcome(settings: Settings, people: list[Person]) -> str:
    """What to do now."""
    named = "\n".join(f"    {person.name:<8} {person.password}" for person in people)
    return f"""
  http://{settings.host}:{settings.port}

  Sign in as one of these, and in a private window as another:

{named}

  Ctrl-C stops it. The data stays in {FOLDER}/; delete the folder to begin afresh.
"""
