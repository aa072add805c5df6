"""The rules of keys: made and revoked by command, and looked up without a question to the database each time."""

import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import delete, select

from app.database import Database, now
from app.keys.errors import KeyNotFound
from app.keys.models import Key

type Scope = Literal["predict", "admin"]

REMEMBERED = 2.0  # seconds that a process believes in a key before it asks again, and so works when it is revoked


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: a program by its key, or a person by their session."""

    name: str
    scope: Scope
    per_minute: int


async def create_key(
    database: Database, *, secret_key: SecretStr, label: str, scope: Scope, per_minute: int, lasts: timedelta
) -> str:
    """Make a key; its secret is in this answer and nowhere else. A key of the same label is replaced."""
    secret = secrets.token_urlsafe(32)
    made = Key(
        id=uuid.uuid4(),
        label=label,
        digest=_digest(secret_key, secret),
        scope=scope,
        per_minute=per_minute,
        expires_at=now() + lasts,
    )
    async with database.write() as session:
        await session.execute(delete(Key).where(Key.label == label))
        session.add(made)
    return secret


async def keys(database: Database) -> Sequence[Key]:
    """All keys, without their secrets."""
    async with database.read() as session:
        return (await session.scalars(select(Key).order_by(Key.label))).all()


async def revoke(database: Database, *, label: str) -> None:
    """Delete a key. Every process knows within two seconds. Raises KeyNotFound."""
    async with database.write() as session:
        if not (await session.execute(delete(Key).where(Key.label == label).returning(Key.id))).all():
            raise KeyNotFound(f"No key is called {label}.")


class Gate:
    """What a process knows of keys, so that a prediction costs no question to the database."""

    def __init__(self, database: Database, secret_key: SecretStr) -> None:
        self._database, self._secret_key = database, secret_key
        self._known: dict[bytes, tuple[Holder, float]] = {}

    async def holder(self, secret: str) -> Holder | None:
        """Who a key stands for, or None when it is not, or no longer, valid."""
        digest, moment = _digest(self._secret_key, secret), time.monotonic()
        if (known := self._known.get(digest)) and moment < known[1]:
            return known[0]
        self._known.pop(digest, None)
        async with self._database.read() as session:
            key = await session.scalar(select(Key).where(Key.digest == digest, Key.expires_at > now()))
        if key is None:
            return None
        found = Holder(f"key {key.label}", "admin" if key.scope == "admin" else "predict", key.per_minute)
        self._known[digest] = found, moment + REMEMBERED
        return found


def _digest(key: SecretStr, secret: str) -> bytes:
    return hmac.digest(key.get_secret_value().encode(), b"key " + secret.encode(), hashlib.sha256)
