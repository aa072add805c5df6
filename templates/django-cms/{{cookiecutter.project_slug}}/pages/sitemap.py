"""For search engines: every page that everybody may see, in every language."""

from typing import Any

from wagtail.contrib.sitemaps import Sitemap
from wagtail.models import Page

from pages.permissions import for_everybody


class AllLanguages(Sitemap):
    """Wagtail's, with the trees of the other languages, which lie beside the first one."""

    def items(self) -> Any:
        found = Page.objects.none()
        for root in self.get_wagtail_site().root_page.get_translations(inclusive=True):
            found |= Page.objects.descendant_of(root, inclusive=True)
        return for_everybody(found).order_by("path").defer_streamfields().specific()
