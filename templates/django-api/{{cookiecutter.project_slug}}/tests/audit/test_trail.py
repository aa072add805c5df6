"""The audit trail."""

import pytest
from django.db import transaction

from audit.models import Entry
from audit.services import record


@pytest.mark.django_db
def test_the_trail_is_only_added_to() -> None:
    record(by="ada", action="look", about="product 1", why="to see")
    entry = Entry.objects.get()
    assert (str(entry), entry.detail, entry.request_id) == ("ada: look product 1", {"why": "to see"}, "")
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.django_db
def test_there_is_no_entry_without_what_it_is_about() -> None:
    def breaks() -> None:
        with transaction.atomic():
            record(by="ada", action="look", about="product 1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert not Entry.objects.exists()
