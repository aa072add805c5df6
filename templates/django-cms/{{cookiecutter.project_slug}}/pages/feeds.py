"""Articles for feed readers."""

from datetime import datetime, time
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from wagtail.models import Locale, Site

from pages.models import ArticlePage, newest_articles

MOST = 30


class Articles(Feed[ArticlePage, HttpRequest]):
    """The newest articles in the language of the address."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, *_arguments: Any, **_more: Any) -> HttpRequest:
        return request

    def title(self, request: HttpRequest) -> str:
        site = Site.find_for_request(request)
        return site.site_name if site else ""

    def link(self, request: HttpRequest) -> str:
        site = Site.find_for_request(request)
        return site.root_page.localized.get_url(request) or "/" if site else "/"

    def description(self) -> str:
        return _("The newest articles.")

    def items(self) -> Any:
        return newest_articles().filter(locale=Locale.get_active())[:MOST]

    def item_title(self, item: ArticlePage) -> str:
        return str(item.title)

    def item_description(self, item: ArticlePage) -> str:
        return item.introduction

    def item_link(self, item: ArticlePage) -> str:
        return str(item.full_url)

    def item_author_name(self, item: ArticlePage) -> str:
        return item.author

    def item_pubdate(self, item: ArticlePage) -> datetime:
        return timezone.make_aware(datetime.combine(item.date, time(12)))
