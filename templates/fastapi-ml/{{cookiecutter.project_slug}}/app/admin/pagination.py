"""Keyset pagination: `{"items": […], "next": cursor or null}`, stable while rows are added."""

import base64
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, cast

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from app.problems import Problem

LONGEST_PAGE = 100
LONGEST_CURSOR = 512

Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before; leave out for the first.")
]
# The parts of keys, as far as a database takes them.
Number = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


class InvalidCursor(Problem):
    """The cursor is not one of ours."""


class Page[Item](BaseModel):
    """A page of a list. `next` is the cursor of the following page, null on the last one."""

    items: list[Item]
    next: str | None


def encode(key: Sequence[object]) -> str:
    """The key of a page's last item as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: object) -> tuple[Any, ...] | None:
    """The key in a cursor that `encode` made, a part for each of `kinds`; None without a cursor.

    Raises InvalidCursor for anything else.
    """
    if cursor is None:
        return None
    try:
        return _key(kinds).validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise InvalidCursor("Leave the cursor out to begin with the first page.") from error


@cache
def _key(kinds: tuple[object, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(cast(Any, tuple.__class_getitem__(kinds)))


def page[Row, Item](
    rows: Sequence[Row], limit: int, *, item: Callable[[Row], Item], key: Callable[[Row], Sequence[object]]
) -> Page[Item]:
    """A page from `limit + 1` rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    return Page(items=[item(row) for row in shown], next=encode(key(shown[-1])) if len(rows) > limit else None)
