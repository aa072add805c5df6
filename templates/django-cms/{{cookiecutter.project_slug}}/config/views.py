"""What is of the site and of no page: files, robots.txt, and what is shown when nothing else can be."""

from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.static import serve
from wagtail.contrib.redirects.models import Redirect

FOR_EVER = int(timedelta(days=365).total_seconds())


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """An image. Its name changes with its content. A large site lets its proxy do this."""
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    patch_cache_control(response, public=True, max_age=FOR_EVER, immutable=True)
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines are to leave alone, and where they find the rest."""
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /search/",
        "",
        f"Sitemap: {request.build_absolute_uri('/sitemap.xml')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such page, or there is none any more; in the look of the site, with what one can do instead."""
    del exception  # whoever typed the address learns nothing from it
    gone = Redirect.objects.filter(old_path=Redirect.normalise_path(request.path), redirect_page=None, redirect_link="")
    status = HTTPStatus.GONE if gone.exists() else HTTPStatus.NOT_FOUND
    return render(request, f"{status}.html", status=status)


def server_error(_request: HttpRequest) -> HttpResponse:
    """Something broke. The page asks nothing of what may be broken: no database, no settings of the site."""
    return HttpResponseServerError(render_to_string("500.html"))
