"""What is of the site and of no feature: pictures, robots.txt, and what is shown when nothing else can be."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.static import serve

FOR_EVER = int(timedelta(days=365).total_seconds())


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A picture. Its name changes with its content. A large shop lets its proxy do this."""
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    patch_cache_control(response, public=True, max_age=FOR_EVER, immutable=True)
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What search engines are to leave alone, and where they find the rest."""
    closed = ("account", "admin", "basket", "checkout", "orders", "search")
    lines = ["User-agent: *", *(f"Disallow: /{name}/" for name in closed), ""]
    lines.append(f"Sitemap: {request.build_absolute_uri('/sitemap.xml')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """There is no such page; in the look of the shop, with what one can do instead."""
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
