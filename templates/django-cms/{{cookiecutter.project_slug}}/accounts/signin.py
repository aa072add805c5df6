"""How somebody is counted who signs in."""

from typing import Any

from django.http import HttpRequest


def counted_as(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The address as it is looked up: in any case it is one person, and has one number of guesses."""
    typed = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(typed).strip().lower()
