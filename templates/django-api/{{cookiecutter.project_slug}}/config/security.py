"""Whom to believe."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

type View = Callable[[HttpRequest], HttpResponse]


def believe_proxies(get_response: View) -> View:
    """Take the scheme and the visitor's address from the proxies that are listed, and from nobody else."""
    networks = [ip_network(each, strict=False) for each in settings.TRUSTED_PROXIES]

    def trusted(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in networks)
        except ValueError:
            return False

    def answer(request: HttpRequest) -> HttpResponse:
        meta = request.META
        if trusted(meta.get("REMOTE_ADDR", "")):
            meta["wsgi.url_scheme"] = "https" if meta.get("HTTP_X_FORWARDED_PROTO") == "https" else "http"
            # From the right: each proxy appends whom it saw, and the first that we do not trust is the visitor.
            for address in reversed([each.strip() for each in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]):
                if address:
                    meta["REMOTE_ADDR"] = address
                if not trusted(address):
                    break
        for name in ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST"):
            meta.pop(name, None)
        return get_response(request)

    return answer


def known_hosts(get_response: View) -> View:
    """Refuse a host that is not ours, before anything is kept or made under its name; and what no address can be."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.get_host()
        if "\x00" in request.path:
            return HttpResponseBadRequest()  # PostgreSQL knows no such text
        return get_response(request)

    return answer
