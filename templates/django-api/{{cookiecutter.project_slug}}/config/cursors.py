"""Keyset pages: a cursor is the key of the last row, so that rows that come or go move nothing."""

from collections.abc import Sequence
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import F, Q, QuerySet

from config.problems import Problem


class InvalidCursor(Problem):
    """One that this list has not given out, with these filters and in this order."""

    slug = "invalid-cursor"
    title = "Not a cursor of this list"


def signer(of: str) -> Signer:
    """Whose signature a cursor of this list has. It has no time in it: the same page is the same bytes."""
    return Signer(salt=f"config.cursors {of}")


def cursor(key: Sequence[Any], of: str) -> str:
    """The cursor of a place in a list."""
    return signer(of).sign_object(key, compress=True)


def place(text: str, of: str) -> list[Any]:
    """The key that a cursor of this list stands for. Raises InvalidCursor."""
    try:
        found: list[Any] = signer(of).unsign_object(text)
    except BadSignature as error:
        raise InvalidCursor from error
    return found


def page[Row](
    rows: QuerySet[Any, Row], *, of: str, asked: dict[str, Any], by: Sequence[str] = ("id",), backwards: bool = True
) -> tuple[list[Row], str | None]:
    """The rows of a page in the order of these columns, the last of which is unique; and the cursor of the next one."""
    rows = rows.order_by(*(F(name).desc() if backwards else F(name).asc() for name in by))
    if text := asked.get("cursor"):
        rows = rows.filter(beyond(by, place(text, of), backwards=backwards))
    found = list(rows[: asked["limit"] + 1])
    more = len(found) > asked["limit"]
    found = found[: asked["limit"]]
    return found, cursor([getattr(found[-1], name) for name in by], of) if more else None


def beyond(by: Sequence[str], key: Sequence[Any], *, backwards: bool) -> Q:
    """What comes after a place: (name, id) > (…, …), in words that both databases have an index for."""
    than = "lt" if backwards else "gt"
    if len(by) == 1:
        return Q(**{f"{by[0]}__{than}": key[0]})
    return Q(**{f"{by[0]}__{than}e": key[0]}) & (Q(**{f"{by[0]}__{than}": key[0]}) | Q(**{f"{by[1]}__{than}": key[1]}))
