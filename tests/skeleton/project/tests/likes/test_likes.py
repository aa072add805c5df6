"""Likes."""

import pytest
from django.test import Client

from likes.models import Like
from notes.services import write_note

pytestmark = pytest.mark.django_db


def test_likes_are_counted(client: Client) -> None:
    like = Like.objects.create(note=write_note(text="Buy milk"))
    assert str(like) == "a like of Buy milk"
    assert client.get("/api/v1/likes").json() == {"likes": 1}
