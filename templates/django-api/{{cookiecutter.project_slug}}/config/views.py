"""What is for people: how to make the first call, the documentation, and what is shown when nothing else can be."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from config.openapi import made


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How to get a token, and what to do with it."""
    said = {"here": request.build_absolute_uri("/"), "audience": settings.TOKEN_AUDIENCE}
    return render(request, "home.html", said | {"issuer": settings.JWKS_URL and settings.TOKEN_ISSUER})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation, to try out, from our own files."""
    return render(request, "docs.html")


@require_safe
def document(_request: HttpRequest) -> HttpResponse:
    """The API's description. It says nothing that a caller may not know, and is the same for everybody."""
    return JsonResponse(cached())


@cache
def cached() -> dict[str, object]:
    return made()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such page; with what one can do instead."""
    del exception  # whoever typed the address learns nothing from it
    return render(request, "404.html", status=404)


def server_error(_request: HttpRequest) -> HttpResponse:
    """Something broke. The page asks no database; where not even its style is there, two words are left."""
    try:
        return HttpResponseServerError(render_to_string("500.html"))
    except Exception:
        return HttpResponseServerError(
            "Something broke. It was written down, and we look at it.", content_type="text/plain"
        )
