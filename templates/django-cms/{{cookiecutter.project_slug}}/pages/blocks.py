"""What the text of a page is put together from. Each block has a preview, so that editors see what they choose."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.embeds.blocks import EmbedBlock
from wagtail.images.blocks import ImageBlock

RICH_TEXT = ["bold", "italic", "link", "document-link", "ol", "ul", "code"]
SENTENCE = "A magazine lives from what its readers tell each other about it."


class Figure(blocks.StructBlock):
    """An image with its caption. Its alternative text is asked for, unless it is only decoration."""

    image = ImageBlock(label=_("Image"))
    caption = blocks.CharBlock(label=_("Caption"), required=False, max_length=250)

    class Meta:
        icon = "image"
        label = _("Image")
        template = "blocks/figure.html"
        preview_template = "blocks/figure_preview.html"
        description = _("An image over the whole width of the text.")


class Quote(blocks.StructBlock):
    """What somebody said."""

    text = blocks.TextBlock(label=_("Words"), max_length=600)
    attribution = blocks.CharBlock(label=_("Who said it"), required=False, max_length=120)

    class Meta:
        icon = "openquote"
        label = _("Quote")
        template = "blocks/quote.html"
        preview_value: Any = {"text": SENTENCE, "attribution": "A reader"}
        description = _("Words of somebody else, set apart.")


class CallToAction(blocks.StructBlock):
    """What the reader is to do next."""

    text = blocks.CharBlock(label=_("Words on the button"), max_length=60)
    page = blocks.PageChooserBlock(label=_("Page of this site"), required=False)
    url = blocks.URLBlock(label=_("Or an address elsewhere"), required=False)

    class Meta:
        icon = "link"
        label = _("Call to action")
        template = "blocks/call_to_action.html"
        preview_value: Any = {"text": "Subscribe", "page": None, "url": "https://example.org"}
        description = _("One button that leads on.")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if bool(cleaned["page"]) == bool(cleaned["url"]):
            error = ValidationError(_("Choose a page of this site, or write an address: one of the two."))
            raise blocks.StructBlockValidationError(block_errors={"page": error})
        return cleaned


class RelatedPages(blocks.StructBlock):
    """What to read next."""

    title = blocks.CharBlock(label=_("Title"), required=False, max_length=80)
    pages = blocks.ListBlock(blocks.PageChooserBlock(), label=_("Pages"), min_num=1, max_num=6)

    class Meta:
        icon = "list-ul"
        label = _("Related pages")
        template = "blocks/related_pages.html"
        preview_template = "blocks/related_pages_preview.html"
        description = _("Up to six pages that belong to this one. Who may not see one is not shown it.")


class Body(blocks.StreamBlock):
    """The text of a page."""

    heading = blocks.CharBlock(
        label=_("Heading"),
        icon="title",
        max_length=120,
        template="blocks/heading.html",
        preview_value="A heading",
        description=_("Divides a long text; readers who listen jump from one to the next."),
    )
    text = blocks.RichTextBlock(
        label=_("Text"),
        icon="pilcrow",
        features=RICH_TEXT,
        template="blocks/text.html",
        preview_value=f"<p>{SENTENCE}</p>",
        description=_("Paragraphs, lists and links."),
    )
    image = Figure()
    quote = Quote()
    call_to_action = CallToAction()
    embed = EmbedBlock(
        label=_("Video or other embed"),
        icon="media",
        max_width=1200,
        template="blocks/embed.html",
        preview_template="blocks/embed_preview.html",
        description=_("The address of a video at YouTube or Vimeo. It is loaded when the reader gets there."),
    )
    related_pages = RelatedPages()

    class Meta:
        block_counts: Any = {"related_pages": {"max_num": 2}}
