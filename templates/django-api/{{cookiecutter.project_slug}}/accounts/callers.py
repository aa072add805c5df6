"""Who asks."""

from dataclasses import dataclass

READ, WRITE = "stock:read", "stock:write"
SCOPES = (READ, WRITE)
MOST_CHARACTERS = 200  # of a subject: it stands in columns


@dataclass(frozen=True)
class Caller:
    """Somebody, or some program, that has shown a token or a key; and what it may do."""

    subject: str
    scopes: frozenset[str]
    via: str = "token"  # what they have shown
    is_authenticated: bool = True  # DRF asks


def subject(text: object) -> str:
    """A subject as columns can hold it. Raises ValueError."""
    if not isinstance(text, str) or not 1 <= len(text) <= MOST_CHARACTERS or not text.isprintable():
        raise ValueError("a subject is 1 to 200 printable characters")
    return text
