"""What the templates of every page ask for."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from wagtail.models import Page, Site

from config.pagecache import remembered
from pages.permissions import for_everybody, is_public
from website.models import SiteSettings

register = template.Library()


@dataclass(frozen=True)
class Item:
    """A link, as a template wants it."""

    title: str
    url: str
    below: tuple["Item", ...] = ()


@dataclass(frozen=True)
class Around:
    """What stands around a page."""

    navigation: tuple[Item, ...] = ()
    footer: tuple[Item, ...] = ()
    social: tuple[Item, ...] = ()
    imprint: str = ""


@register.simple_tag(takes_context=True)
def website(context: dict[str, Any]) -> Around:
    """Navigation, footer and addresses, in the language of the page."""
    site = Site.find_for_request(context["request"])
    return around(site.pk, get_language() or "") if site else Around()


@remembered
def around(site_id: int, language: str) -> Around:
    """What stands around each page of a site, in a language."""
    settings = SiteSettings.for_site(Site.objects.get(pk=site_id))
    entries = [entry["value"] for entry in settings.navigation.raw_data]
    links = [link["value"] for link in settings.footer.raw_data]
    below = [link.get("value", link) for entry in entries for link in entry["below"]]
    pages = in_language({link["page"] for link in [*entries, *links, *below] if link["page"]}, language)

    def items(values: list[Any]) -> tuple[Item, ...]:
        chosen = [value.get("value", value) for value in values]
        there = [(link, pages[link["page"]]) for link in chosen if link["page"] in pages]
        return tuple(
            Item(link.get("title") or page.title, page.url or "", items(link.get("below", []))) for link, page in there
        )

    social = tuple(Item(address.value["name"], address.value["url"]) for address in settings.social)
    return Around(items(entries), items(links), social, settings.imprint)


def in_language(ids: set[int], language: str) -> dict[int, Page]:
    """Public pages by the ids that editors chose, each in this language where it has been translated."""
    chosen = {page.pk: page for page in for_everybody(Page.objects.filter(pk__in=ids))}
    others = [page.translation_key for page in chosen.values()]
    translated = Page.objects.filter(translation_key__in=others, locale__language_code=language)
    by_key = {page.translation_key: page for page in for_everybody(translated)}
    return {pk: by_key.get(page.translation_key, page) for pk, page in chosen.items()}


@register.simple_tag(takes_context=True)
def page_url(context: dict[str, Any], page: Page) -> str:
    """The address of a page, from this site."""
    return page.get_url(context["request"]) or ""


@register.simple_tag(takes_context=True)
def full_url(context: dict[str, Any], page: Page) -> str:
    """The address of a page, with its host."""
    return page.get_full_url(context["request"]) or ""


@register.simple_tag(takes_context=True)
def json_ld(context: dict[str, Any], page: Any) -> SafeString:
    """The structured data of a page."""
    text: SafeString = page.json_ld(context["request"])
    return text


@register.simple_tag
def public_pages(pages: list[Page]) -> list[Page]:
    """Those of some pages that everybody may see."""
    return [page for page in pages if page and page.live and is_public(page.path)]


@register.simple_tag
def public_page(page: Page) -> Page | None:
    """A page, if everybody may see it."""
    return page if page.live and is_public(page.path) else None
