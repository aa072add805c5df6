"""Pages of a list, newest first. A cursor is signed for its list, so that it is one that this list gave out."""

import base64
import hmac
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from fastapi import Request
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Row

from app.contract import Id
from app.problems import Problem
from app.state import state_of

KEY = TypeAdapter(tuple[Id, str])


class InvalidCursor(Problem):
    """The cursor is not one of ours."""


def after(request: Request, cursor: str | None, *, whose: str = "") -> int | None:
    """The id that a page comes after; None for the first. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        number, _ = KEY.validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        number = 0
    # Other characters can stand for the same bytes: only what we write ourselves counts.
    if not hmac.compare_digest(cursor.encode(), _cursor(request, number, whose).encode()):
        raise InvalidCursor("Leave the cursor out to begin with the first page.")
    return number


def listed[Page: BaseModel](
    request: Request, rows: Sequence[Row[Any]], limit: int, kind: type[Page], *, whose: str = ""
) -> Page:
    """A page from `limit + 1` rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    following = _cursor(request, shown[-1].id, whose) if len(rows) > limit else None
    return kind.model_validate({"items": shown, "next": following}, from_attributes=True)


def _cursor(request: Request, number: int, whose: str) -> str:
    """The id and its signature, which is of no other list and caller."""
    secret = state_of(request)["settings"].secret_key.get_secret_value().encode()
    said = f"{request.url.path}\0{whose}\0{number}".encode()
    signature = blake2b(said, digest_size=12, key=blake2b(secret).digest()).hexdigest()
    return base64.urlsafe_b64encode(json.dumps([number, signature]).encode()).decode().rstrip("=")
