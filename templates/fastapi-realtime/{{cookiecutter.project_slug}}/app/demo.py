"""What `demo` shows: three people, their rooms and what they said."""

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path

from app.accounts.services import create_user
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


def settings(*, port: int) -> Settings:
    """The demo's settings, in the environment for the processes that it starts. Raises NotHereError."""
    given = Settings()
    if "environment" in given.model_fields_set and given.production:
        raise NotHereError("This is production: the demo makes accounts and must not run here.")
    if "database_url" in given.model_fields_set and given.database_url != DATABASE_URL:
        raise NotHereError("DATABASE_URL names a database that the demo did not make. Unset it to see the demo.")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    if not (secret := FOLDER / "secret").exists():
        _keep(secret, secrets.token_urlsafe(48))
    os.environ |= {"ENVIRONMENT": "development", "DATABASE_URL": DATABASE_URL, "SECRET_KEY": secret.read_text()}
    os.environ |= {"ALLOWED_HOSTS": "", "HOST": "127.0.0.1", "PORT": str(port)}
    return Settings()


async def load(database: Database) -> dict[str, str]:
    """The people and their passwords, made the first time with their rooms.

    Later starts change nothing: whoever is signed in stays so.
    """
    if not (kept := FOLDER / "people.json").exists():
        people = {name: secrets.token_urlsafe(9) for name in EXAMPLE["people"]}
        ids = {name: (await create_user(database, name=name, password=people[name])).id for name in people}
        for room in EXAMPLE["rooms"]:
            owner, *others = room["members"]
            room_id = (await rooms.create_room(database, name=room["name"], owner_id=ids[owner])).room.id
            for name in others:
                await rooms.add_member(database, room_id=room_id, actor_id=ids[owner], name=name)
            async with database.write() as session:
                for number, said in enumerate(room["said"]):
                    event = Event(room_id=room_id, kind="message", actor_id=ids[said["by"]], body=said["body"])
                    event.client_id = f"example-{number}"
                    event.created_at = now() - timedelta(hours=said["hours_ago"], minutes=-number)
                    await log.append(session, event)
        _keep(kept, json.dumps(people))
    return dict(json.loads(kept.read_text()))


def _keep(file: Path, text: str) -> None:
    """Write what only its owner may read."""
    file.touch(mode=0o600)
    file.write_text(text)


def welcome(settings: Settings, people: dict[str, str]) -> str:
    """What to do now."""
    named = "\n".join(f"    {name:<8} {password}" for name, password in people.items())
    address = f"http://{settings.host}:{settings.port}"
    return "\n".join(EXAMPLE["welcome"]).format(address=address, people=named, folder=FOLDER)
