"""Pages of a list, newest first. A cursor is signed for its list, so that it is one that this list gave out."""

import hmac
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import Row

from app.problems import Problem
from app.state import state_of


class InvalidCursor(Problem):
    """The cursor is not one of ours."""


def after(request: Request, cursor: str | None, *, whose: str = "") -> int | None:
    """The id that a page comes after; None for the first. Raises InvalidCursor."""
    if cursor is None:
        return None
    number = cursor.partition("-")[0]
    if not hmac.compare_digest(cursor.encode(), _cursor(request, number, whose).encode()):
        raise InvalidCursor("Leave the cursor out to begin with the first page.")
    return int(number)


def listed[Page: BaseModel](
    request: Request, rows: Sequence[Row[Any]], limit: int, kind: type[Page], *, whose: str = ""
) -> Page:
    """A page from `limit + 1` rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    following = _cursor(request, shown[-1].id, whose) if len(rows) > limit else None
    return kind.model_validate({"items": shown, "next": following}, from_attributes=True)


def _cursor(request: Request, number: object, whose: str) -> str:
    """An id and its signature, which is of no other list and caller."""
    secret = state_of(request)["settings"].secret_key.get_secret_value().encode()
    said = f"{request.url.path}\0{whose}\0{number}".encode()
    return f"{number}-{hmac.new(secret, said, 'sha256').hexdigest()}"
