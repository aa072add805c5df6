"""Pages that are sent in parts to browsers with scripts."""

from django.http import HttpRequest


def wants_a_part(request: HttpRequest) -> bool:
    """Whether htmx asks, and the rest of the page is there already (htmx.org/reference, "Request Headers")."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers
