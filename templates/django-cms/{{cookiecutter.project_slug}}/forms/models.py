"""Pages with a form that editors put together; what is sent is kept, and goes to an address by mail."""

import logging
from http import HTTPStatus
from smtplib import SMTPException
from typing import Any, ClassVar

from django.core.mail import EmailMessage
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.contrib.forms.models import AbstractFormField, EmailFormMixin, FormMixin
from wagtail.contrib.forms.panels import FormSubmissionsPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from config.limits import allowed
from pages.models import BasePage

logger = logging.getLogger("website")
HONEYPOT = "your-website"  # which people do not see, and programs fill in; no field of an editor has a hyphen in it
MOST_IN_TEN_MINUTES = 5  # of one address, over all forms


class FormField(AbstractFormField):
    """A field of a form."""

    page = ParentalKey("forms.FormPage", on_delete=models.CASCADE, related_name="form_fields")


class FormPage(EmailFormMixin, FormMixin, BasePage):
    """A page with a form."""

    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    thanks = RichTextField(_("thanks"), features=["bold", "italic", "link"], help_text=_("Shown when it was sent."))

    content_panels = [
        *Page.content_panels,
        FormSubmissionsPanel(),
        FieldPanel("introduction"),
        InlinePanel("form_fields", label=_("Fields"), min_num=1, max_num=30),
        FieldPanel("thanks"),
        MultiFieldPanel([FieldPanel("to_address"), FieldPanel("from_address"), FieldPanel("subject")], _("Mail")),
    ]
    search_fields = [*Page.search_fields, index.SearchField("introduction")]
    parent_page_types: ClassVar = ["pages.HomePage", "pages.SectionPage"]
    subpage_types: ClassVar[list[str]] = []
    template = "forms/form.html"
    landing_page_template = "forms/thanks.html"

    class Meta:
        verbose_name = _("page with a form")

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A program is thanked and forgotten; who sends too much is told so, and keeps what was written."""
        if request.method == "POST":
            if request.POST.get(HONEYPOT):
                logger.info("a form was filled in by a program: %s", self.url_path)
                thanked: HttpResponse = self.render_landing_page(request)
                return thanked
            if not allowed("forms", request.META["REMOTE_ADDR"], most=MOST_IN_TEN_MINUTES, seconds=600):
                form = self.get_form(request.POST, page=self, user=request.user)
                form.is_valid()
                form.add_error(None, _("That was a lot at once. Please wait ten minutes, and send it again."))
                context = self.get_context(request) | {"form": form}
                return render(request, self.template, context, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer: HttpResponse = super().serve(request, *args, **kwargs)
        return answer

    def send_mail(self, form: Any) -> None:
        """What was sent is kept already: a mail server that does not answer loses nothing."""
        addresses = [address.strip() for address in self.to_address.split(",")]
        # Not by Wagtail's own function: with Django's MAILERS that one forgets who it is at the mail server.
        message = EmailMessage(self.subject, self.render_email(form), self.from_address or None, addresses)
        try:
            message.send()
        except (OSError, SMTPException):
            logger.exception("what was sent by the form %s is kept, and was not mailed", self.url_path)
