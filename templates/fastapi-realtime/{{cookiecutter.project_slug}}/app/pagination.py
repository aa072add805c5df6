"""Keyset pagination: `{"items": […], "next": cursor or null}`, stable while rows are added."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from app.problems import Problem

LONGEST_PAGE = 100
LONGEST_CURSOR = 512


class InvalidCursor(Problem):
    """The cursor is not one of ours."""


class Page[Item](BaseModel):
    """A page of a list. `next` is the cursor of the following page, null on the last one."""

    items: list[Item]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before; leave out for the first.")
]


def encode(key: Sequence[str | int]) -> str:
    """The key of a page's last item as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type[str] | type[int]) -> list[Any] | None:
    """The key in a cursor that `encode` made, a part for each of `kinds`; None without a cursor.

    Raises InvalidCursor for anything else.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds) or not all(map(_fits, key)):
        raise InvalidCursor("Leave the cursor out to begin with the first page.")
    return key


def _fits(part: str | int) -> bool:
    """Whether the database takes it: it has no NUL, no half of a surrogate pair, no number without end."""
    return part.isprintable() if isinstance(part, str) else 0 <= part < 2**31


def page[Row, Item](
    rows: Sequence[Row], limit: int, *, item: Callable[[Row], Item], key: Callable[[Row], Sequence[str | int]]
) -> Page[Item]:
    """A page from `limit + 1` rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    return Page(items=[item(row) for row in shown], next=encode(key(shown[-1])) if len(rows) > limit else None)
