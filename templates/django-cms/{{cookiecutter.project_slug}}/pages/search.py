"""The search of the site: what editors put first, then what the words find."""

from http import HTTPStatus
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from wagtail.contrib.search_promotions.models import Query
from wagtail.models import Locale, Page
from wagtail.search.utils import normalise_query_string

from config.limits import allowed
from pages.models import PER_PAGE
from pages.permissions import for_everybody, is_public

LONGEST_QUERY = 100
MOST_PER_MINUTE = 60  # of one address


@require_safe
@cache_control(private=True)
def search(request: HttpRequest) -> HttpResponse:
    """Pages that everybody may see, in the language of the address. An empty question finds nothing.

    Answers 429 to whoever asks more than a person does.
    """
    asked = request.GET.get("q", "").replace("\x00", "")[:LONGEST_QUERY].strip()
    promoted: list[Any] = []
    found: Any = Page.objects.none()
    many = bool(asked) and not allowed("search", request.META["REMOTE_ADDR"], most=MOST_PER_MINUTE, seconds=60)
    if asked and not many:
        # Looked up only: what visitors ask is not written down.
        query = Query.objects.filter(query_string=normalise_query_string(asked)).first()
        if query:
            picks = query.editors_picks.select_related("page").filter(page__live=True)
            promoted = [pick for pick in picks if is_public(pick.page.path)]
        found = for_everybody(Page.objects.filter(locale=Locale.get_active(), depth__gt=1)).specific().search(asked)
    listing = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {"asked": asked, "promoted": promoted, "listing": listing, "many": many}
    return render(
        request, "search/search.html", context, status=HTTPStatus.TOO_MANY_REQUESTS if many else HTTPStatus.OK
    )
