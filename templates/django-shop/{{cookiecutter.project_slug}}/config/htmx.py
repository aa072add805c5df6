"""Pages that are sent in parts to browsers with scripts."""

from django.http import HttpRequest


def wants_a_part(request: HttpRequest) -> bool:
    """Whether htmx asks for what comes into a place of the page: it has the rest (four.htmx.org, request headers)."""
    return request.headers.get("HX-Request-Type") == "partial"
