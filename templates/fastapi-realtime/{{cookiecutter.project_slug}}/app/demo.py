"""What `demo` shows: three people, their rooms and what they said."""

import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from app.accounts import services as accounts
from app.broker import InProcessBroker
from app.database import Database, now
from app.rooms import log
from app.rooms import services as rooms
from app.rooms.models import Event
from app.settings import Settings

FOLDER = Path(".demo")
DATABASE_URL = f"sqlite:///{FOLDER.as_posix()}/data.sqlite3"

PEOPLE = ("ada", "grace", "linus")
TALK = {
    "General": [
        ("grace", 52, "Good morning! The new rooms are open."),
        ("linus", 51, "Nice. What happens when my train goes into the tunnel?"),
        ("grace", 51, "You miss nothing. Your browser says which event it applied last, and gets all that follow."),
        ("linus", 50, "And if I press send in the tunnel?"),
        ("grace", 50, "It waits here and is sent again until the server says it is committed. Twice is still once."),
        (
            "ada",
            30,
            "I pulled the plug of the server in mid-sentence. It came back, the sentence was whole.",
        ),
        ("linus", 29, "You did what?"),
        ("ada", 29, "Somebody has to."),
        ("grace", 3, "Try it yourself: open this room in a second, private window as somebody else."),
        ("ada", 2, "Then stop the server with Ctrl-C, write something in both windows, and start it again."),
    ],
    "Launch": [
        ("ada", 27, "Checklist for Friday:\n1. migrate\n2. serve\n3. look at /readyz"),
        ("linus", 26, "4. cake"),
        ("ada", 26, "0. cake"),
    ],
    "Two of us": [("ada", 5, "Only members see a room, and for everybody else it does not exist.")],
}
MEMBERS = {"General": PEOPLE, "Launch": PEOPLE, "Two of us": ("ada", "grace")}


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
        people = [Person(name, secrets.token_urlsafe(9)) for name in PEOPLE]
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
    for name, said in TALK.items():
        owner = ids[said[0][0]]
        room = (await rooms.create_room(database, name=name, owner_id=owner)).room
        for member in MEMBERS[name]:
            if ids[member] != owner:
                await rooms.add_member(database, InProcessBroker(), room_id=room.id, actor_id=owner, name=member)
        async with database.write() as session:
            for number, (actor, hours, body) in enumerate(said):
                event = Event(
                    room_id=room.id, kind="message", actor_id=ids[actor], client_id=f"example-{number}", body=body
                )
                event.created_at = now() - timedelta(hours=hours, minutes=-number)
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
