"""What is the same on every page: the navigation, the footer, and where else the magazine is."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.fields import StreamField


class Link(blocks.StructBlock):
    """One entry. The page's own title, unless another one is written."""

    page = blocks.PageChooserBlock(label=_("Page"))
    title = blocks.CharBlock(label=_("Another title"), required=False, max_length=60)


class Entry(Link):
    """An entry of the navigation, with those below it. There is no third level, so nothing can go in circles."""

    below = blocks.ListBlock(Link(), label=_("Below it"), default=[], max_num=8)

    class Meta:
        icon = "list-ul"
        label = _("Entry")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        pages = [cleaned["page"].pk, *(link["page"].pk for link in cleaned["below"])]
        if len(set(pages)) < len(pages):
            error = ValidationError(_("A page stands twice in this entry."))
            raise blocks.StructBlockValidationError(block_errors={"below": error})
        return cleaned


class Elsewhere(blocks.StructBlock):
    """Where else the magazine is."""

    name = blocks.CharBlock(label=_("Name"), max_length=40)
    url = blocks.URLBlock(label=_("Address"))

    class Meta:
        icon = "site"
        label = _("Address")


@register_setting(icon="site", order=1)
class SiteSettings(BaseSiteSetting):
    """What editors can change on all pages at once."""

    navigation = StreamField([("entry", Entry())], blank=True, max_num=8, verbose_name=_("navigation"))
    footer = StreamField([("link", Link(icon="link"))], blank=True, max_num=12, verbose_name=_("links in the footer"))
    social = StreamField([("address", Elsewhere())], blank=True, max_num=8, verbose_name=_("elsewhere"))
    imprint = models.CharField(_("last line"), max_length=200, blank=True, help_text=_("Who is responsible."))

    panels = [FieldPanel("navigation"), FieldPanel("footer"), FieldPanel("social"), FieldPanel("imprint")]

    class Meta:
        verbose_name = _("navigation and footer")
