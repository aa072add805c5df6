"""What a page leaves behind; and where the site is, after its tables were made."""

from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db.models.signals import post_migrate, pre_delete
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page, Site


def mark_as_gone(sender: type, instance: Page, **_: object) -> None:
    """The address of a page that was public says for ever that it is gone: a redirect that leads nowhere."""
    if issubclass(sender, Page) and sender is not Page and instance.live and (parts := instance.get_url_parts()):
        Redirect.objects.get_or_create(old_path=Redirect.normalise_path(parts[2]), site_id=parts[0])


pre_delete.connect(mark_as_gone)


def settle(**_: object) -> None:
    """In production the site is where BASE_URL says, until somebody says something else in the admin."""
    if settings.PRODUCTION:
        where = urlsplit(settings.WAGTAILADMIN_BASE_URL)
        port = where.port or (443 if where.scheme == "https" else 80)
        for site in Site.objects.filter(hostname="localhost"):
            site.hostname, site.port = where.hostname, port
            site.save()  # Wagtail remembers where sites are, and hears of it


post_migrate.connect(settle, sender=apps.get_app_config("website"))
