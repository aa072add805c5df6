"""People."""

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings
from wagtail.models import Site
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text, streamfield

from accounts.models import User
from config import settings as written
from pages.models import ArticleIndexPage, ArticlePage, HomePage
from tests.conftest import TEXT, Write

pytestmark = pytest.mark.django_db


def test_an_address_is_one_person_in_any_case() -> None:
    ada = User.objects.create_user("Ada@Example.org", "correct horse battery")
    assert User.objects.get_by_natural_key("ADA@example.ORG") == ada
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ada@example.org", "another one")
    assert not ada.is_staff


def test_passwords_are_argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = written.PASSWORD_HASHERS
    user = User.objects.create_user("grace@example.org", "correct horse battery")
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password("correct horse battery")


def test_somebody_signs_in_by_address(client: Client) -> None:
    User.objects.create_superuser("ada@example.org", "correct horse battery")
    form = {"username": "ADA@example.org", "password": "correct horse battery"}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_an_administrator_adds_people_in_the_admin(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada@example.org", "correct horse battery"))
    assert "username" not in client.get("/admin/users/new/").content.decode().lower().replace("id_username", "")
    form = {"email": "new@example.org", "first_name": "New", "last_name": "Person", "is_active": "on"}
    form |= {"password1": "correct horse battery", "password2": "correct horse battery"}
    assert client.post("/admin/users/new/", form).status_code == 302
    assert User.objects.filter(email="new@example.org").exists()


def test_an_editor_writes_and_submits_and_does_not_publish(editor: Client, moderator: Client, write: Write) -> None:
    article = write()
    page = editor.get(f"/admin/pages/{article.pk}/edit/").content.decode()
    assert 'name="action-submit"' in page
    assert 'name="action-publish"' not in page
    assert 'name="action-publish"' in moderator.get(f"/admin/pages/{article.pk}/edit/").content.decode()
    assert editor.post(f"/admin/pages/{article.pk}/unpublish/").status_code == 302
    article.refresh_from_db()
    assert article.live


ADMIN = "/admin/"
MAY = {
    # what, and whether: an editor, a moderator
    "pages/{home}/": (200, 200),
    "pages/add/pages/sectionpage/{home}/": (200, 200),
    "pages/{article}/edit/": (200, 200),
    "pages/{article}/unpublish/": (302, 200),
    "pages/{article}/privacy/": (302, 200),
    "pages/{article}/delete/": (302, 200),
    "images/add/": (200, 200),
    "documents/add/": (200, 200),
    "redirects/": (302, 200),
    "searchpicks/": (302, 200),
    "settings/website/sitesettings/{site}/": (302, 200),
    "users/": (302, 302),
    "groups/": (302, 302),
    "sites/": (302, 302),
    "locales/": (302, 302),
    "workflows/list/": (302, 302),
}


@pytest.mark.parametrize("path", MAY)
def test_each_may_what_is_theirs(path: str, editor: Client, moderator: Client, home: HomePage, write: Write) -> None:
    address = ADMIN + path.format(home=home.pk, article=write().pk, site=Site.objects.get().pk)
    got = {name: client.get(address) for name, client in (("editor", editor), ("moderator", moderator))}
    assert tuple(answer.status_code for answer in got.values()) == MAY[path]
    anonymous = Client().get(address)
    assert (anonymous.status_code, anonymous["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_what_is_submitted_waits_on_the_dashboard_and_in_the_mail(
    editor: Client, moderator: Client, stories: ArticleIndexPage
) -> None:
    article = ArticlePage(title="Submitted", author="x", introduction="x", body=TEXT, live=False)
    stories.add_child(instance=article)
    form = nested_form_data(
        {
            "title": "Submitted",
            "slug": "submitted",
            "introduction": "x",
            "date": "2026-03-01",
            "author": "x",
            "body": streamfield([("text", rich_text("<p>x</p>"))]),
            "comments": inline_formset([]),
            "action-submit": "x",
        }
    )
    assert editor.post(f"/admin/pages/{article.pk}/edit/", form).status_code == 302
    assert "Awaiting your review" in moderator.get("/admin/").content.decode()
    assert "Submitted" in moderator.get("/admin/").content.decode()
    (message,) = (message for message in mail.outbox if message.to == ["moderator@example.org"])
    assert "Submitted" in message.subject
    assert f"/admin/pages/{article.pk}/edit/" in message.body
    assert "Submitted" in editor.get("/admin/").content.decode(), "the editor sees that it waits"
