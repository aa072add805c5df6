"""Whom to believe."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def believe_proxies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Take `X-Forwarded-Proto` from the proxies that are listed, and from nobody else."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.META.get("REMOTE_ADDR") in settings.TRUSTED_PROXIES:
            request.META["wsgi.url_scheme"] = request.headers.get("X-Forwarded-Proto", "http")
        return get_response(request)

    return answer
