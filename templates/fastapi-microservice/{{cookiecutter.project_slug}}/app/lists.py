"""Pages of a list, newest first. A cursor is signed for its list, so that it is one that this list gave out."""

import hmac
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import Row

from app.contract import Id
from app.pagination import InvalidCursor, Text, decode, encode
from app.state import state_of


def after(request: Request, cursor: str | None, *, whose: str = "") -> int | None:
    """The id that a page comes after; None for the first. Raises InvalidCursor."""
    key = decode(cursor, Id, Text)
    if key is None:
        return None
    number, signature = key
    ours = hmac.compare_digest(signature.encode(), _signature(request, number, whose).encode())
    # Other characters can stand for the same bytes: only what we wrote ourselves counts.
    if not ours or cursor != encode(key):
        raise InvalidCursor("Leave the cursor out to begin with the first page.")
    return int(number)


def listed[Page: BaseModel](
    request: Request, rows: Sequence[Row[Any]], limit: int, kind: type[Page], *, whose: str = ""
) -> Page:
    """A page from `limit + 1` rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        last = shown[-1].id
        following = encode((last, _signature(request, last, whose)))
    return kind.model_validate({"items": shown, "next": following}, from_attributes=True)


def _signature(request: Request, number: int, whose: str) -> str:
    secret = state_of(request)["settings"].secret_key.get_secret_value().encode()
    said = f"{request.url.path}\0{whose}\0{number}".encode()
    return blake2b(said, digest_size=12, key=blake2b(secret).digest()).hexdigest()
