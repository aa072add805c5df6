"""What `demo` shows: two versions of a model that were trained before, a person, and a key for a program."""

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path

from app.database import Database
from app.extras import all_extras
from app.inference.cards import Card
from app.inference.engine import digest
from app.keys.services import create_key
from app.registry import services as registry
from app.registry.files import Files, once
from app.settings import Settings

FOLDER = Path(".demo")
DATABASE_URL = f"sqlite:///{FOLDER.as_posix()}/data.sqlite3"
TRAINED = Path(__file__).parent / "trained"
MODEL = "departure-delay"
WELCOME = Path(__file__).with_suffix(".txt").read_text("utf-8")


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
    os.environ |= {"MODEL_FOLDER": str(FOLDER / "models"), "ALLOWED_HOSTS": "", "HOST": "127.0.0.1", "PORT": str(port)}
    return Settings()


async def load(database: Database) -> dict[str, str]:
    """The secrets by their names, made the first time with the model's two versions; the linear one is primary."""
    if not (kept := FOLDER / "secrets.json").exists():
        files = Files(FOLDER / "models")
        for name in ("linear", "forest"):
            content = (TRAINED / f"{name}.onnx").read_bytes()
            card = Card.model_validate_json((TRAINED / f"{name}.json").read_bytes())
            await files.write(digest(content), once(content))
            await registry.register(database, files, name=MODEL, sha256=digest(content), card=card, by="demo")
        await registry.promote(database, files, name=MODEL, number=1, by="demo")
        secret_key, lasts = Settings().secret_key, timedelta(days=365)
        key = await create_key(
            database, secret_key=secret_key, label="demo", scope="admin", per_minute=60_000, lasts=lasts
        )
        made = {"key": key}
        for extra in all_extras().values():
            made |= await extra.demo(database) if extra.demo else {}
        _keep(kept, json.dumps(made))
    return dict(json.loads(kept.read_text()))


def _keep(file: Path, text: str) -> None:
    """Write what only its owner may read."""
    file.touch(mode=0o600)
    file.write_text(text)


def welcome(settings: Settings, made: dict[str, str]) -> str:
    """What to do now."""
    lines = "\n".join(f"    {name:<8} {secret}" for name, secret in made.items())
    address = f"http://{settings.host}:{settings.port}"
    return WELCOME.format(address=address, secrets=lines, key=made["key"], folder=FOLDER)
