"""What browsers ask and people type."""

from django.http import HttpRequest

LONGEST = 15  # digits


def wants_a_part(request: HttpRequest) -> bool:
    """Whether htmx asks for what comes into a place of the page: it has the rest (four.htmx.org, request headers)."""
    return request.headers.get("HX-Request-Type") == "partial"


def number(typed: str) -> int:
    """A number from 0 on; what is none is as wrong as a negative one: -1."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= LONGEST else -1
