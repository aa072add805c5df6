"""People at the desk."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from accounts.models import User
from config import settings as written

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
