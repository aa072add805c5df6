"""ETags: of the exact bytes that are sent, so that whoever has it has this."""

from hashlib import blake2b

from django.utils.http import parse_etags

ANY = ["*"]


def etag(content: bytes) -> str:
    """A strong one."""
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'


def is_known(header: str, tag: str) -> bool:
    """Whether If-None-Match has it: weak comparison, since only reading depends on it."""
    said = parse_etags(header)
    return said == ANY or tag in (each.removeprefix("W/") for each in said)


def is_meant(header: str, tag: str) -> bool:
    """Whether If-Match has it: strong comparison, so that a weak one never does."""
    said = parse_etags(header)
    return said == ANY or tag in said
