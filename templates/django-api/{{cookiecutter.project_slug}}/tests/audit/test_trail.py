"""The audit trail."""

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from audit.models import Entry
from audit.services import record
from tests.callers import Caller


@pytest.mark.django_db
def test_the_trail_is_only_added_to() -> None:
    record(by="ada", action="look", about="product 1", why="to see")
    entry = Entry.objects.get()
    assert (str(entry), entry.detail, entry.request_id) == ("ada (command): look product 1", {"why": "to see"}, "")
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    with pytest.raises(TypeError):
        Entry.objects.update(principal="grace")
    with pytest.raises(TypeError):
        Entry.objects.all().delete()


@pytest.mark.django_db
def test_there_is_no_entry_without_what_it_is_about() -> None:
    def breaks() -> None:
        with transaction.atomic():
            record(by="ada", action="look", about="product 1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_nobody_passes_for_somebody_at_the_desk() -> None:
    email = f"{'a' * 242}@example.org"
    User.objects.create_superuser(email, "x")
    Caller(email[:200], "stock:write").product()
    client = Client()
    client.force_login(User.objects.get())
    assert client.post("/admin/stock/product/add/", {"sku": "CUP", "name": "A cup"}).status_code == 302
    record(by=email, action="look", about="product 1")
    seen = [*Entry.objects.order_by("pk").values_list("principal", "via")]
    assert seen == [(email[:200], "token"), (email, "staff"), (email, "command")]
