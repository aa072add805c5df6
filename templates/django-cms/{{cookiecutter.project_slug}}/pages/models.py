"""Pages. What every one of them has is in `BasePage`; what may lie below what is said by each."""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import Page as PageOfList
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import http_date
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index
from wagtail.url_routing import RouteResult

from config.pagecache import remembered
from pages.blocks import Body
from pages.permissions import for_everybody

PER_PAGE = 20
HOME_DEPTH = 2  # of the tree: above it there is the root, which is no page
# What would end a script element, or be a line's end in JavaScript, inside of JSON.
ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


class BasePage(Page):
    """What every page has: how it looks to search engines and where it is shared, and where it stands."""

    canonical_url = models.URLField(
        _("canonical address"),
        blank=True,
        help_text=_("Only when this text was first published elsewhere: its address there."),
    )
    share_image = models.ForeignKey(
        settings.WAGTAILIMAGES_IMAGE_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("image when shared"),
        help_text=_("Shown where somebody shares this page. Without one it is the page's own image."),
    )
    noindex = models.BooleanField(
        _("keep out of search engines"),
        default=False,
        help_text=_("It leaves sitemap.xml too; the search of this site still finds it."),
    )

    promote_panels: ClassVar = [
        MultiFieldPanel(
            [
                FieldPanel("slug"),
                FieldPanel("seo_title"),
                FieldPanel("search_description", help_text=_("One or two sentences that make people want to read on.")),
                FieldPanel("share_image"),
            ],
            _("For search engines, and where it is shared"),
        ),
        MultiFieldPanel(
            [FieldPanel("show_in_menus"), FieldPanel("canonical_url"), FieldPanel("noindex")], _("Where it is found")
        ),
    ]

    class Meta:
        abstract = True

    @property
    def lead_image(self) -> Any:
        """The image that stands for the page; None when it has none."""
        return self.share_image

    @cached_property
    def breadcrumbs(self) -> list[Page]:
        """The pages above, from the home page down. Who came here from above has them with him."""
        if self.depth <= HOME_DEPTH:
            return []
        return list(self.get_ancestors().filter(depth__gte=HOME_DEPTH).live().defer_streamfields())

    @cached_property
    def translations(self) -> list[Page]:
        """The page in every language in which it is public, itself included, by the language's code."""
        pages = for_everybody(Page.objects.filter(translation_key=self.translation_key)).select_related("locale")
        return sorted(pages, key=lambda page: page.locale.language_code)

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Wagtail's way down the tree, with one query for a level instead of two; each page keeps the way to it.

        A kind of page that finds its own way gets it from here.
        """
        page, way = self, list(self.breadcrumbs)
        for number, slug in enumerate(path_components, 1):
            way.append(page)
            page = page.get_children().filter(slug=slug).first()
            if page is None:
                raise Http404
            if getattr(page.specific_class, "route", None) is not BasePage.route:
                found: RouteResult = page.specific.route(request, path_components[number:])
                return found
        page = page.specific
        if not page.live:
            raise Http404
        page.breadcrumbs = [above for above in way if above.live]
        return RouteResult(page)

    @property
    def above(self) -> Page | None:
        """The page above; None above the first one."""
        return self.breadcrumbs[-1] if self.breadcrumbs else None

    def structured_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the page is, in the words of schema.org."""
        return {"@type": "WebPage", "name": self.title, "url": self.get_full_url(request)}

    def json_ld(self, request: HttpRequest) -> SafeString:
        """The structured data of the page and of the way to it, as JSON that may stand in a script element."""
        way = [
            {"@type": "ListItem", "position": number, "name": page.title, "item": page.get_full_url(request)}
            for number, page in enumerate([*self.breadcrumbs, self], 1)
        ]
        graph = [self.structured_data(request), {"@type": "BreadcrumbList", "itemListElement": way}]
        text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False)
        return mark_safe(text.translate(ESCAPES))  # noqa: S308  nothing in it can end the element

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[dict[str, Any]]:
        return [] if self.noindex else super().get_sitemap_urls(request)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().serve(request, *args, **kwargs)
        if self.last_published_at:
            response["Last-Modified"] = http_date(self.last_published_at.timestamp())
        return response


class ListPage(BasePage):
    """A page that lists articles, twenty at a time."""

    introduction = models.CharField(_("introduction"), max_length=300, blank=True)

    class Meta:
        abstract = True

    def listed(self) -> Any:
        """What it lists: articles that everybody may read, from anywhere below it."""
        return newest_articles().descendant_of(self)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        page: PageOfList[Page] = Paginator(self.listed(), PER_PAGE).get_page(request.GET.get("page"))
        return context | {"listing": page}


class HomePage(BasePage):
    """The first page."""

    introduction = models.CharField(
        _("introduction"), max_length=300, blank=True, help_text=_("What this site is, in a sentence or two.")
    )
    body = StreamField(Body(), blank=True, verbose_name=_("text"))

    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("introduction"), index.SearchField("body")]
    parent_page_types: ClassVar = ["wagtailcore.Page"]
    template = "pages/home.html"

    class Meta:
        verbose_name = _("home page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The newest articles, from everywhere. Who wants older ones goes to a list."""
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        return context | {"listing": newest_articles().filter(pk__in=newest_below(self.path))}

    def structured_data(self, request: HttpRequest) -> dict[str, Any]:
        return super().structured_data(request) | {"@type": "WebSite", "inLanguage": get_language()}


class SectionPage(ListPage):
    """A part of the site, with further parts below it, to any depth."""

    body = StreamField(Body(), blank=True, verbose_name=_("text"))

    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("introduction"), index.SearchField("body")]
    parent_page_types: ClassVar = ["pages.HomePage", "pages.SectionPage"]
    template = "pages/section.html"

    class Meta:
        verbose_name = _("section")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        parts = for_everybody(Page.objects.child_of(self)).order_by("path")
        return super().get_context(request, *args, **kwargs) | {"parts": parts}


class StandardPage(BasePage):
    """A page of text: about us, how to subscribe."""

    body = StreamField(Body(), blank=True, verbose_name=_("text"))

    content_panels = [*Page.content_panels, FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("body")]
    parent_page_types: ClassVar = ["pages.HomePage", "pages.SectionPage", "pages.StandardPage"]
    subpage_types: ClassVar = ["pages.StandardPage"]
    template = "pages/standard.html"

    class Meta:
        verbose_name = _("page of text")


class ArticleIndexPage(ListPage):
    """Articles, the newest first, each tag of them a list of its own."""

    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    search_fields = [*Page.search_fields, index.SearchField("introduction")]
    parent_page_types: ClassVar = ["pages.HomePage", "pages.SectionPage"]
    subpage_types: ClassVar = ["pages.ArticlePage"]
    template = "pages/article_index.html"

    class Meta:
        verbose_name = _("list of articles")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.tag = request.GET.get("tag", "").replace("\x00", "")[:100]
        return super().get_context(request, *args, **kwargs) | {"tag": self.tag}

    def listed(self) -> Any:
        return super().listed().filter(tags__slug=self.tag) if self.tag else super().listed()


class ArticleTag(TaggedItemBase):
    """A tag on an article."""

    content_object = ParentalKey("pages.ArticlePage", on_delete=models.CASCADE, related_name="tagged_items")


class ArticlePage(BasePage):
    """An article."""

    date = models.DateField(
        _("date"), default=timezone.localdate, db_index=True, help_text=_("Shown, and what the lists go by.")
    )
    author = models.CharField(_("author"), max_length=120, help_text=_("As it is to be read above the text."))
    introduction = models.CharField(
        _("introduction"), max_length=300, help_text=_("What the lists show below the title.")
    )
    image = models.ForeignKey(
        settings.WAGTAILIMAGES_IMAGE_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lead image"),
        help_text=_("Above the text, and in lists."),
    )
    image_alt = models.CharField(
        _("what the lead image shows"),
        max_length=200,
        blank=True,
        help_text=_("For readers who do not see it. Asked for when there is an image."),
    )
    tags = ClusterTaggableManager(through=ArticleTag, blank=True, verbose_name=_("tags"))
    body = StreamField(Body(), verbose_name=_("text"))

    content_panels = [
        *Page.content_panels,
        FieldPanel("introduction"),
        MultiFieldPanel([FieldPanel("date"), FieldPanel("author"), FieldPanel("tags")], _("About it")),
        MultiFieldPanel([FieldPanel("image"), FieldPanel("image_alt")], _("Lead image")),
        FieldPanel("body"),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("introduction", boost=2),
        index.SearchField("author"),
        index.SearchField("body"),
        index.FilterField("date"),
    ]
    parent_page_types: ClassVar = ["pages.ArticleIndexPage"]
    subpage_types: ClassVar[list[str]] = []
    template = "pages/article.html"

    class Meta:
        verbose_name = _("article")

    @property
    def lead_image(self) -> Any:
        return self.share_image or self.image

    def clean(self) -> None:
        super().clean()
        if self.image_id and not self.image_alt.strip():
            raise ValidationError({"image_alt": _("Say what the image shows, for readers who do not see it.")})

    def structured_data(self, request: HttpRequest) -> dict[str, Any]:
        return super().structured_data(request) | {
            "@type": "Article",
            "headline": self.title,
            "description": self.search_description or self.introduction,
            "datePublished": self.date.isoformat(),
            "dateModified": (self.last_published_at or self.date).isoformat(),
            "author": {"@type": "Person", "name": self.author},
            "inLanguage": get_language(),
        }


@remembered
def newest_below(path: str) -> tuple[int, ...]:
    """The newest articles below a place. To find them all are looked at, so it is not done for each visitor."""
    return tuple(newest_articles().filter(path__startswith=path).values_list("pk", flat=True)[:PER_PAGE])


def newest_articles() -> Any:
    """Articles that everybody may read, the newest first, with what a list shows of them."""
    return (
        for_everybody(ArticlePage.objects)
        .defer_streamfields()
        .select_related("image")
        .prefetch_related("image__renditions")
        .order_by("-date", "-pk")
    )
