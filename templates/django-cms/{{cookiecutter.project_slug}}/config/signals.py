"""What makes kept pages old."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, PageViewRestriction, Site
from wagtail.signals import page_published, page_slug_changed, page_unpublished, post_page_move

from config.pagecache import forget_pages
from media.models import CustomDocument, CustomImage
from website.models import SiteSettings


def deleted(sender: type, **_: object) -> None:
    """Deleting a page sends the signal of its own class."""
    if issubclass(sender, Page):
        forget_pages()


def made(sender: type, instance: Any, *, created: bool, **_: object) -> None:
    """An alias is live from the beginning, and nobody says that it was published."""
    if created and issubclass(sender, Page) and instance.live:
        forget_pages()


for signal in (page_published, page_unpublished, page_slug_changed, post_page_move):
    signal.connect(forget_pages)
for model in (SiteSettings, Redirect, Site, PageViewRestriction, Locale, CustomImage, CustomDocument):
    post_save.connect(forget_pages, sender=model)
    post_delete.connect(forget_pages, sender=model)
post_delete.connect(deleted)
post_save.connect(made)
