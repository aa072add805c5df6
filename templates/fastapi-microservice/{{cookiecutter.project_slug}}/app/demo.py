"""What `demo` shows: some products with stock, and a token to ask for them with."""

import os
import secrets
from datetime import timedelta
from pathlib import Path

from app.auth.issuer import issue
from app.database import Database
from app.products import services
from app.settings import Settings

FOLDER = Path(".demo")
DATABASE_URL = f"sqlite:///{FOLDER.as_posix()}/data.sqlite3"
SUBJECT = "demo"
PRODUCTS = {"TEA-GREEN-100": "Green tea, 100 g", "TEA-BLACK-100": "Black tea, 100 g", "POT-CLAY-1": "Clay teapot, 1 l"}
WELCOME = Path(__file__).with_suffix(".txt").read_text("utf-8")


class NotHereError(Exception):
    """The demo would touch what is not its own."""


def settings(*, port: int) -> Settings:
    """The demo's settings, in the environment for the processes that it starts. Raises NotHereError."""
    given = Settings()
    if "environment" in given.model_fields_set and given.production:
        raise NotHereError("This is production: the demo believes its own tokens and must not run here.")
    if "database_url" in given.model_fields_set and given.database_url != DATABASE_URL:
        raise NotHereError("DATABASE_URL names a database that the demo did not make. Unset it to see the demo.")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    if not (secret := FOLDER / "secret").exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(48))
    os.environ |= {"ENVIRONMENT": "development", "DATABASE_URL": DATABASE_URL, "SECRET_KEY": secret.read_text()}
    os.environ |= {"JWKS_URL": "", "EVENTS_FILE": str(FOLDER / "events.jsonl")}
    os.environ |= {"ALLOWED_HOSTS": "", "HOST": "127.0.0.1", "PORT": str(port)}
    return Settings()


async def load(database: Database) -> None:
    """The products, the first time."""
    async with database.write() as connection:
        if await services.products(connection, before=None, limit=1):
            return
        for sku, name in PRODUCTS.items():
            made = await services.create(connection, sku=sku, name=name)
            await services.move(connection, made.id, kind="receive", quantity=40, note="the first delivery")


def welcome(settings: Settings) -> str:
    """What to do now."""
    token = issue(settings, SUBJECT, lasts=timedelta(days=30))
    address = f"http://{settings.host}:{settings.port}"
    return WELCOME.format(address=address, subject=SUBJECT, token=token, folder=FOLDER)
