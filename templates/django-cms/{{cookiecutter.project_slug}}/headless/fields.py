"""What is given out of each kind of page, beside what Wagtail gives of all. The core's models know nothing of it."""

from typing import Any

from rest_framework.fields import Field
from wagtail.api import APIField
from wagtail.images.api.fields import ImageRenditionField
from wagtail.models import Page

from pages.models import ArticleIndexPage, ArticlePage, HomePage, SectionPage, StandardPage
from pages.permissions import is_public

IN_TEXT = ImageRenditionField("width-1200|format-webp")


class Blocks(Field):
    """A text as its blocks; for an image what shows it, for a page its title and address, if it is public."""

    def to_representation(self, value: Any) -> list[dict[str, Any]]:
        return [{"type": each.block_type, "id": each.id, "value": self._value(each)} for each in value]

    def _value(self, child: Any) -> Any:
        value = child.value
        match child.block_type:
            case "image":
                alt = value["image"].contextual_alt_text or ""
                return {"image": IN_TEXT.to_representation(value["image"]) | {"alt": alt}, "caption": value["caption"]}
            case "call_to_action":
                page = next(iter(self._pages([value["page"]])), None)
                return {"text": value["text"], "page": page, "url": value["url"]}
            case "related_pages":
                return {"title": value["title"], "pages": self._pages(value["pages"])}
        return child.block.get_api_representation(value, self.context)

    def _pages(self, pages: Any) -> list[dict[str, Any]]:
        shown: list[Page] = [page for page in pages if page and page.live and is_public(page.path)]
        request = self.context["request"]
        return [{"id": page.pk, "title": page.title, "url": page.get_full_url(request)} for page in shown]


introduction, body = APIField("introduction"), APIField("body", serializer=Blocks())
HomePage.api_fields = SectionPage.api_fields = [introduction, body]
StandardPage.api_fields = [body]
ArticleIndexPage.api_fields = [introduction]
ArticlePage.api_fields = [
    APIField("date"),
    APIField("author"),
    introduction,
    APIField("image", serializer=ImageRenditionField("fill-1600x900|format-webp")),
    APIField("image_alt"),
    APIField("tags"),
    body,
]
