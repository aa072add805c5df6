"""What makes kept pages old."""

from django.db.models.signals import post_delete, post_save
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page, PageViewRestriction, Site
from wagtail.signals import page_published, page_slug_changed, page_unpublished, post_page_move

from config.pagecache import forget_pages
from media.models import CustomImage
from website.models import SiteSettings


def deleted(sender: type, **_: object) -> None:
    """Deleting a page sends the signal of its own class."""
    if issubclass(sender, Page):
        forget_pages()


for signal in (page_published, page_unpublished, page_slug_changed, post_page_move):
    signal.connect(forget_pages)
for model in (SiteSettings, Redirect, Site, PageViewRestriction, CustomImage):
    post_save.connect(forget_pages, sender=model)
    post_delete.connect(forget_pages, sender=model)
post_delete.connect(deleted)
