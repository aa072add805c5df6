"""Forms: what is sent is kept, and programs are not listened to."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from wagtail.contrib.forms.models import FormSubmission

from forms.models import FormField, FormPage
from pages.models import HomePage

pytestmark = pytest.mark.django_db


@pytest.fixture
def form(home: HomePage) -> FormPage:
    page = FormPage(title="Write to us", introduction="We answer.", thanks="<p>It has come.</p>")
    page.to_address, page.from_address, page.subject = "desk@example.org", "site@example.org", "A letter"
    page.form_fields = [
        FormField(label="Your address", field_type="email", required=True, help_text="Nobody else gets it."),
        FormField(label="Letter", field_type="multiline", required=True),
    ]
    home.add_child(instance=page)
    page.save_revision().publish()
    return page


LETTER = {"your_address": "reader@example.org", "letter": "Well done."}


def test_a_letter_is_kept_mailed_and_thanked_for(client: Client, form: FormPage) -> None:
    shown = client.get(form.url).content.decode()
    assert "Nobody else gets it." in shown
    answer = client.post(form.url, LETTER)
    assert "It has come." in answer.content.decode()
    assert FormSubmission.objects.get().form_data == LETTER
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["desk@example.org"], "A letter")
    assert "Letter: Well done." in message.body


def test_what_is_missing_is_marked_and_nothing_is_kept(client: Client, form: FormPage) -> None:
    text = client.post(form.url, LETTER | {"your_address": "nobody"}).content.decode()
    assert "Not sent yet" in text
    assert 'aria-invalid="true"' in text
    assert "Well done." in text
    assert not FormSubmission.objects.exists()


def test_a_program_is_thanked_and_forgotten(client: Client, form: FormPage) -> None:
    answer = client.post(form.url, LETTER | {"your-website": "https://spam.example"})
    assert "It has come." in answer.content.decode()
    assert not FormSubmission.objects.exists()
    assert mail.outbox == []


def test_who_has_a_website_may_say_so(client: Client, form: FormPage) -> None:
    form.form_fields.add(FormField(label="Your website", field_type="url", sort_order=2))
    form.save_revision().publish()
    client.post(form.url, LETTER | {"your_website": "https://reader.example"})
    assert FormSubmission.objects.get().form_data["your_website"] == "https://reader.example"


def test_the_sixth_in_ten_minutes_waits_and_keeps_its_words(
    client: Client, form: FormPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.limits.time.time", lambda: 1_800_000_000)
    answers = [client.post(form.url, LETTER) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Please wait ten minutes" in answers[-1].content.decode()
    assert "Well done." in answers[-1].content.decode()
    assert FormSubmission.objects.count() == 5
    monkeypatch.setattr("config.limits.time.time", lambda: 1_800_000_600)
    assert client.post(form.url, LETTER).status_code == 200


def test_from_another_site_nothing_is_sent(form: FormPage) -> None:
    assert Client(enforce_csrf_checks=True).post(form.url, LETTER).status_code == 403


def test_a_mail_server_that_does_not_answer_loses_nothing(
    client: Client, form: FormPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("forms.models.EmailMessage.send", refuse)
    assert "It has come." in client.post(form.url, LETTER).content.decode()
    assert FormSubmission.objects.count() == 1


@pytest.mark.usefixtures("cached")
def test_a_page_with_a_form_is_not_kept(client: Client, form: FormPage) -> None:
    tokens = {client.get(form.url).content.partition(b"csrfmiddlewaretoken")[2][:90] for _ in range(2)}
    assert len(tokens) == 2
    other = Client(enforce_csrf_checks=True)
    other.get(form.url)
    token = other.cookies["csrftoken"].value
    assert other.post(form.url, LETTER | {"csrfmiddlewaretoken": token}).status_code == 200


def test_what_readers_wrote_is_for_those_who_may_edit_the_page(
    client: Client, editor: Client, moderator: Client, form: FormPage
) -> None:
    client.post(form.url, LETTER)
    address = f"/admin/forms/submissions/{form.pk}/"
    assert client.get(address).status_code == 302
    assert "Well done." in moderator.get(address).content.decode()
    assert "Well done." in editor.get(address).content.decode()
