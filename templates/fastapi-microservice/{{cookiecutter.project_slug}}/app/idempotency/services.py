"""What is done once, however often it is asked for (draft-ietf-httpapi-idempotency-key-header-07).

The answer is stored in the transaction of what it answers: both are there, or neither.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import blake2b
from weakref import WeakValueDictionary

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database, now
from app.idempotency.errors import IdempotencyKeyReused, RequestInProgress
from app.idempotency.models import StoredAnswer

LONGEST_WAIT = 2.0  # seconds that a second request waits for the first
LOOK_EVERY = 0.02
KEPT_FOR = timedelta(hours=24)

THIS = (StoredAnswer.caller == bindparam("of_caller"), StoredAnswer.key == bindparam("of_key"))
KEPT, FORGET, KEEP = select(StoredAnswer).where(*THIS), delete(StoredAnswer).where(*THIS), insert(StoredAnswer)
TRY = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))

_under_way: WeakValueDictionary[tuple[Database, str, str], asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, and may be sent again."""

    status: int
    body: bytes
    etag: str | None = None
    location: str | None = None


def fingerprint(method: str, path: str, body: object) -> bytes:
    """What a request says, whatever the order of its members."""
    said = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"))
    return blake2b(said.encode(), digest_size=32).digest()


async def once(
    database: Database,
    *,
    caller: str,
    key: str,
    said: bytes,
    do: Callable[[AsyncConnection], Awaitable[Answer]],
) -> Answer:
    """Do it and keep the answer, or give the answer that is kept. `said` is the request's fingerprint.

    Raises IdempotencyKeyReused for another request of that key, RequestInProgress when the first takes too long.
    """
    async with alone(database, caller, key) as connection:
        this = {"of_caller": caller, "of_key": key}
        kept = (await connection.execute(KEPT, this)).one_or_none()
        if kept and kept.created_at <= now() - KEPT_FOR:  # and not swept yet
            await connection.execute(FORGET, this)
            kept = None
        if kept is None:
            answer = await do(connection)
            stored = {"caller": caller, "key": key, "fingerprint": said, "created_at": now()}
            await connection.execute(KEEP, stored | asdict(answer))
            return answer
    if kept.fingerprint != said:
        raise IdempotencyKeyReused("Make a new key for each thing that is to be done.")
    return Answer(kept.status, kept.body, kept.etag, kept.location)


@asynccontextmanager
async def alone(database: Database, caller: str, key: str) -> AsyncIterator[AsyncConnection]:
    """A transaction beside which no other has this key. Raises RequestInProgress when that takes too long.

    Who waits has no connection: else the retries of one caller would take the pool from everybody.
    """
    busy = RequestInProgress("Send it again in a moment.", headers={"Retry-After": "1"})
    deadline = time.monotonic() + LONGEST_WAIT
    turn = _under_way.setdefault((database, caller, key), asyncio.Lock())
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            await turn.acquire()
    except TimeoutError as error:
        raise busy from error
    try:
        while time.monotonic() <= deadline:
            async with database.write() as connection:
                # Other processes are met at a lock of PostgreSQL; on SQLite the transaction itself keeps them out.
                if database.on_sqlite or await connection.scalar(TRY, {"number": _number(caller, key)}):
                    yield connection
                    return
            await asyncio.sleep(LOOK_EVERY)
        raise busy
    finally:
        turn.release()


def _number(caller: str, key: str) -> int:
    return int.from_bytes(blake2b(f"{caller}\0{key}".encode(), digest_size=8).digest(), signed=True)
