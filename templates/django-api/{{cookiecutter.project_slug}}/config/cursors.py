"""Keyset pages: a cursor is the key of the last row, so that rows that come or go move nothing."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from config.problems import Problem

SEAL = 12  # bytes


class InvalidCursor(Problem):
    """One that this list has not given out, with these filters and in this order."""

    slug = "invalid-cursor"
    title = "Not a cursor of this list"


def seal(of: str, said: bytes, secret: str) -> bytes:
    return salted_hmac(f"config.cursors {of}", said, secret=secret, algorithm="sha256").digest()[:SEAL]


def cursor(key: Sequence[Any], of: str) -> str:
    """The cursor of a place in a list."""
    said = json.dumps(key, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(seal(of, said, settings.SECRET_KEY) + said).decode().rstrip("=")


def place(text: str, of: str) -> list[Any]:
    """The key that a cursor of this list stands for. Raises InvalidCursor."""
    try:
        read = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor from error
    # What the decoder skips, or does not look at, is altered as well.
    if urlsafe_b64encode(read).decode().rstrip("=") != text:
        raise InvalidCursor
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(read[:SEAL], seal(of, read[SEAL:], secret)) for secret in secrets):
        raise InvalidCursor
    found: list[Any] = json.loads(read[SEAL:])
    return found


def page[Row](
    rows: QuerySet[Any, Row],
    *,
    by: Sequence[str],
    of: str,
    asked: dict[str, Any],
    key: Callable[[Row], list[Any]],
    backwards: bool = True,
) -> tuple[list[Row], str | None]:
    """The rows of a page in the order of these columns, the last of which is unique; and the cursor of the next one."""
    rows = rows.order_by(*(F(name).desc() if backwards else F(name).asc() for name in by))
    if text := asked.get("cursor"):
        rows = rows.filter(beyond(by, place(text, of), backwards=backwards))
    found = list(rows[: asked["limit"] + 1])
    more = len(found) > asked["limit"]
    found = found[: asked["limit"]]
    return found, cursor(key(found[-1]), of) if more else None


def beyond(by: Sequence[str], key: Sequence[Any], *, backwards: bool) -> Q:
    """What comes after a place: (name, id) > (…, …), in words that both databases have an index for."""
    than = "lt" if backwards else "gt"
    if len(by) == 1:
        return Q(**{f"{by[0]}__{than}": key[0]})
    return Q(**{f"{by[0]}__{than}e": key[0]}) & (Q(**{f"{by[0]}__{than}": key[0]}) | Q(**{f"{by[1]}__{than}": key[1]}))
