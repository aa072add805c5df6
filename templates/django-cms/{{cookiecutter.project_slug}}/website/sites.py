"""Which site is asked: the same at each request to a host, so it is looked up once for all."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from wagtail.models import Site
from wagtail.models.sites import get_site_for_hostname

from config.pagecache import remembered


def known_site(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Put the site where Wagtail keeps what it has found for a request, which saves a query of every page."""

    def answer(request: HttpRequest) -> HttpResponse:
        if site := site_of(request.get_host().rpartition(":")[0] or request.get_host(), int(request.get_port())):
            request._wagtail_site = site  # type: ignore[attr-defined]  # noqa: SLF001  the place that Wagtail looks at
        return get_response(request)

    return answer


def previews(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A preview is a request that Wagtail makes up: no proxy says of it that it came by HTTPS, as its editor did."""

    def answer(request: HttpRequest) -> HttpResponse:
        if getattr(request, "is_dummy", False) and settings.SECURE_SSL_REDIRECT:
            request.META["wsgi.url_scheme"] = "https"
        return get_response(request)

    return answer


@remembered
def site_of(hostname: str, port: int) -> Site | None:
    """The site of a host, with its first page; None where there is none at all."""
    try:
        return get_site_for_hostname(hostname, port)
    except Site.DoesNotExist:
        return None
