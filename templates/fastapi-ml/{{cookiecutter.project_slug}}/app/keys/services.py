"""The rules of keys: made and revoked by command, looked up without a question each time, limited across processes."""

import asyncio
import hashlib
import hmac
import math
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import case, delete, select

from app.database import Database, now
from app.keys.errors import KeyNotFound, TooManyRequests
from app.keys.models import Allowance, Key

type Scope = Literal["predict", "admin"]

REMEMBERED = 2.0  # seconds that a process believes in a key before it asks again, and so works when it is revoked
MINUTE = timedelta(minutes=1)
BLOCKS = 20  # a process takes a twentieth of the minute's requests at a time


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
    """What a process knows of keys and allowances, so that a prediction costs no question to the database."""

    def __init__(self, database: Database, secret_key: SecretStr) -> None:
        self._database, self._secret_key = database, secret_key
        self._known: dict[bytes, tuple[Holder, float]] = {}
        self._left: dict[str, tuple[int, float]] = {}  # requests, and until when they are good
        self._taking: dict[str, asyncio.Lock] = {}

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

    async def admit(self, holder: Holder) -> None:
        """Count a request. Raises TooManyRequests when those of this minute are used up, in whatever process."""
        left, until = self._left.get(holder.name, (0, 0.0))
        if not left or time.monotonic() >= until:
            async with self._taking.setdefault(holder.name, asyncio.Lock()):
                left, until = self._left.get(holder.name, (0, 0.0))
                if not left or time.monotonic() >= until:
                    left, until = await self._take(holder)
                self._left[holder.name] = left - 1, until
        else:
            self._left[holder.name] = left - 1, until

    async def _take(self, holder: Holder) -> tuple[int, float]:
        """The next block of requests, and until when it is good: the minute's end by this process's clock."""
        block, moment = math.ceil(holder.per_minute / BLOCKS), now()
        taken, ends, over = Allowance.taken, Allowance.ends_at, Allowance.ends_at <= moment
        first = {"holder": holder.name, "taken": block, "ends_at": moment + MINUTE}
        again = {
            "taken": case((over, block), else_=taken + block),
            "ends_at": case((over, moment + MINUTE), else_=ends),
        }
        count = self._database.insert(Allowance).values(first)
        count = count.on_conflict_do_update(index_elements=["holder"], set_=again)
        async with self._database.write() as session:
            number, end = (await session.execute(count.returning(taken, ends))).one()
        seconds = (end - moment).total_seconds()
        if (free := min(block, holder.per_minute - (number - block))) <= 0:
            wait = str(max(1, math.ceil(seconds)))
            detail = f"It may ask {holder.per_minute} times a minute. Try again in {wait} s."
            raise TooManyRequests(detail, headers={"Retry-After": wait})
        return free, time.monotonic() + seconds


def _digest(key: SecretStr, secret: str) -> bytes:
    return hmac.digest(key.get_secret_value().encode(), b"key " + secret.encode(), hashlib.sha256)
