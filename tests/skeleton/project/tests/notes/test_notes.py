"""Notes."""

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from notes.services import write_note

pytestmark = pytest.mark.django_db


def test_the_page_shows_what_was_written(client: Client) -> None:
    write_note(text="Buy milk")
    assert "<li>Buy milk</li>" in client.get("/").content.decode()


def test_a_stranger_gets_no_list(client: Client) -> None:
    assert client.get("/api/v1/notes").status_code == 401


def test_who_is_signed_in_gets_the_list(client: Client) -> None:
    write_note(text="Buy milk")
    client.force_login(User.objects.create_user("ada"))
    assert client.get("/api/v1/notes").json() == {"items": [{"text": "Buy milk"}], "next": None}


def test_it_is_the_database_that_was_asked_for(request: pytest.FixtureRequest) -> None:
    assert connection.vendor == request.config.getoption("database")
