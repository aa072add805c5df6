"""Images and documents, as models of our own: fields can be added later, the models cannot be exchanged later."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.documents.models import AbstractDocument, Document
from wagtail.images.models import AbstractImage, AbstractRendition, Image


class CustomImage(AbstractImage):
    """An image that editors have uploaded."""

    credit = models.CharField(
        _("credit"), max_length=200, blank=True, help_text=_("Who made it, and who must be named.")
    )

    admin_form_fields = (*Image.admin_form_fields, "credit")

    class Meta(AbstractImage.Meta):
        verbose_name = _("image")


class CustomRendition(AbstractRendition):
    """An image in the size and format in which it is shown."""

    image = models.ForeignKey(CustomImage, models.CASCADE, related_name="renditions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "filter_spec", "focal_point_key"], name="one_rendition_of_each_kind"
            )
        ]


class CustomDocument(AbstractDocument):
    """A file to download."""

    admin_form_fields = Document.admin_form_fields

    class Meta(AbstractDocument.Meta):
        verbose_name = _("document")
