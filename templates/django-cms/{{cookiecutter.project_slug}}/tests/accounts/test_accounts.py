"""People."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from tests.conftest import Write

pytestmark = pytest.mark.django_db


def test_an_address_is_one_person_in_any_case() -> None:
    ada = User.objects.create_user("Ada@Example.org", "correct horse battery")
    assert User.objects.get_by_natural_key("ADA@example.ORG") == ada
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ada@example.org", "another one")
    assert not ada.is_staff


def test_somebody_signs_in_by_address(client: Client) -> None:
    User.objects.create_superuser("ada@example.org", "correct horse battery")
    form = {"username": "ADA@example.org", "password": "correct horse battery"}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert authenticate is not None


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


@pytest.mark.parametrize(("who", "status"), [("editor", 302), ("moderator", 200)])
def test_the_navigation_is_for_moderators(who: str, status: int, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    answer = client.get("/admin/settings/website/sitesettings/", follow=False)
    found = client.get(answer["Location"]) if answer.status_code == 302 and who == "moderator" else answer
    assert found.status_code == status
