"""Doing a thing once, however often it is asked for (draft-ietf-httpapi-idempotency-key-header-07)."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from idempotency.errors import InProgress, KeyReused
from idempotency.models import StoredAnswer

WAIT = timedelta(seconds=2)
LOOK_AGAIN = 0.02  # seconds

type Told = tuple[bytes, int, dict[str, str]]  # content, status, headers


def fingerprint(method: str, path: str, value: Any) -> str:
    """By which a request is known again: the same JSON is the same in whatever order its members are."""
    said = json.dumps([method, path, value], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def once(principal: str, key: str, print_: str, do: Callable[[], Told]) -> Told:
    """Do it, and keep the answer in the same transaction; or give the answer that was kept.

    Nothing is kept of what raises. Raises InProgress when another one with this key takes longer than WAIT, KeyReused
    when the key came with another request.
    """
    with alone(principal, key):
        kept = StoredAnswer.objects.filter(principal=principal, key=key).first()
        if kept and kept.created_at > timezone.now() - settings.KEYS_LIVE:
            if kept.fingerprint != print_:
                raise KeyReused("Make a new Idempotency-Key for each thing that is to be done.")
            return bytes(kept.content), kept.status, kept.headers
        if kept:
            kept.delete()
        content, status, headers = do()
        StoredAnswer.objects.create(
            principal=principal, key=key, fingerprint=print_, status=status, headers=headers, content=content,
            created_at=timezone.now(),
        )  # fmt: skip
    return content, status, headers


@contextmanager
def alone(principal: str, key: str) -> Iterator[None]:
    """A transaction in which nobody else does anything by this key. It is committed when the block has ended."""
    if connection.vendor == "sqlite":
        # One writer: to have begun is to be alone. Whoever waits too long for that hears 503, whatever they wait for.
        with transaction.atomic(durable=True):
            yield
        return
    # A unique index alone would let the second wait for as long as the first takes.
    name = hashlib.blake2b(f"{principal}\0{key}".encode(), digest_size=8).digest()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        deadline = time.monotonic() + WAIT.total_seconds()
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(name, signed=True)])
            if cursor.fetchone()[0]:
                break
            if time.monotonic() > deadline:
                raise InProgress(headers={"Retry-After": "1"})
            time.sleep(LOOK_AGAIN)
        yield


def forget_old() -> int:
    """Delete answers whose keys have come to their end; how many there were."""
    return StoredAnswer.objects.filter(created_at__lte=timezone.now() - settings.KEYS_LIVE).delete()[0]
