"""What a page leaves behind."""

from django.db.models.signals import pre_delete
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page


def mark_as_gone(sender: type, instance: Page, **_: object) -> None:
    """The address of a page that was public says for ever that it is gone: a redirect that leads nowhere."""
    if issubclass(sender, Page) and sender is not Page and instance.live and (parts := instance.get_url_parts()):
        Redirect.objects.get_or_create(old_path=Redirect.normalise_path(parts[2]), site_id=parts[0])


pre_delete.connect(mark_as_gone)
