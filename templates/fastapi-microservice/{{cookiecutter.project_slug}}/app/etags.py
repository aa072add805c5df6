"""ETags: what a representation is known by, and whether a caller knows it (RFC 9110, sections 8.8 and 13)."""

import re
from collections.abc import Sequence
from hashlib import blake2b

TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag_of(body: bytes) -> str:
    """A strong tag: other bytes, another tag."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def matches(fields: Sequence[str], tag: str, *, weakly: bool = False) -> bool:
    """Whether the fields of an If-Match name this tag, or `*`; with `weakly` those of an If-None-Match."""
    given = ", ".join(fields).strip()
    return given == "*" or any(found == tag and (weakly or not weak) for weak, found in TAG.findall(given))
