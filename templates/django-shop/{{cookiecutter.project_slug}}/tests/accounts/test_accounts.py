"""Accounts: by e-mail address, and only by those who have it."""

import re

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from config import settings as written
from tests.shelf import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("counted")]


def test_an_address_is_one_person_in_any_case(ada: User) -> None:
    assert User.objects.get_by_natural_key("ADA@example.org") == ada
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Ada@example.org", PASSWORD)


def test_who_is_made_by_the_command_can_sign_in() -> None:
    User.objects.create_superuser("boss@example.org", PASSWORD)
    client = Client()
    client.post("/account/login/?next=/admin/", {"login": "boss@example.org", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_passwords_are_argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = written.PASSWORD_HASHERS
    user = User.objects.create_user("grace@example.org", "correct horse battery")
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password("correct horse battery")


def test_an_account_is_one_s_own_when_the_address_is(client: Client) -> None:
    client.post("/account/signup/", {"email": "grace@example.org", "password1": PASSWORD})
    assert "_auth_user_id" not in client.session, "first the address"
    (message,) = mail.outbox
    link = re.search(r"http://\S+/account/confirm-email/\S+", str(message.body))[0]  # type: ignore[index]
    page = client.get(link).content.decode()
    assert "Confirm" in page
    client.post(link)
    client.post("/account/login/", {"login": "grace@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session


def test_who_asks_for_an_address_that_is_there_learns_nothing(client: Client, ada: User) -> None:
    there = client.post("/account/signup/", {"email": ada.email, "password1": PASSWORD})
    new = client.post("/account/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert (there.status_code, there["Location"]) == (new.status_code, new["Location"])
    assert client.post("/account/password/reset/", {"email": "nobody@example.org"}).status_code == 302
    assert [message.to for message in mail.outbox] == [["ada@example.org"], ["new@example.org"]]


@pytest.mark.parametrize("password", ["short", "12345678901", "password123", "grace@example.org"])
def test_a_bad_password_is_refused(client: Client, password: str) -> None:
    answer = client.post("/account/signup/", {"email": "grace@example.org", "password1": password})
    assert answer.status_code == 200
    assert not User.objects.exists()
