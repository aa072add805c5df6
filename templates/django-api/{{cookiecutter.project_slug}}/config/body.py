"""What comes in: bytes, not too many, that are JSON and nothing that only looks like it."""

import json
import re
from typing import Any, NoReturn

from django.http import HttpRequest

from config.problems import Invalid, Refused

MOST_BYTES = 64 * 1024
MOST_SKIPPED = 1024 * 1024
DEEPEST = 100
LONGEST_NUMBER = 25  # digits; more are beyond every column, and Python refuses to read some thousands
# A text that does not end goes to the end: looked for from each of its quotes again, it would take for ever.
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def read(request: HttpRequest) -> bytes:
    """The body, or one byte more than is allowed.

    Taken from the server itself: Django sees no body where its length was not announced beforehand.
    """
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    length = MOST_BYTES + 1 if chunked else int(request.META.get("CONTENT_LENGTH") or 0)
    if not length:
        return b""
    stream = request.META["wsgi.input"]
    found: bytes = stream.read(min(length, MOST_BYTES + 1))
    left = MOST_SKIPPED if len(found) > MOST_BYTES else 0
    # A little more is taken and forgotten: who hears 413 while sending may not hear it, and has to connect anew.
    while left > 0 and (skipped := stream.read(MOST_BYTES if chunked else min(MOST_BYTES, length - MOST_BYTES - 1))):
        left -= len(skipped)
        length -= len(skipped)
    return found


def value_of(sent: bytes, media_type: str) -> Any:
    """The value of these bytes, which were announced as this. Raises a Problem.

    RFC 8259: UTF-8, no NaN, no member twice, not nested without end.
    """
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Content-Type is to be application/json.")
    if len(sent) > MOST_BYTES:
        raise Refused(413, f"At most {MOST_BYTES} bytes.")
    try:
        if too_deep(sent):
            raise Refused(400, f"It is nested more than {DEEPEST} deep.")
        return json.loads(sent.decode(), parse_constant=no_number, parse_int=whole, object_pairs_hook=without_doubles)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.") from error


def too_deep(sent: bytes) -> bool:
    """Whether arrays and objects are in each other more than so deep. Most bodies have not even so many."""
    if sent.count(b"[") + sent.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for each in TEXT.sub(b"", sent):
        depth += (each in b"[{") - (each in b"]}")
        if depth > DEEPEST:
            return True
    return False


def no_number(name: str) -> NoReturn:
    raise ValueError(name)


def whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Invalid("A member comes twice in one object.")
    return made
