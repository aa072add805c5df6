"""Movements: the ledger, and what may not become of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit.models import Entry
from stock.models import Movement, Product
from stock.services import differences
from tests.callers import Caller


def test_the_ledger_is_only_added_to(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    movement = Movement.objects.get(product=product)
    with pytest.raises(TypeError):
        movement.save()
    with pytest.raises(TypeError):
        movement.delete()
    with pytest.raises(TypeError):
        Movement.objects.update(change=99)
    with pytest.raises(TypeError):
        Movement.objects.filter(pk=movement.pk).delete()
    assert differences() == {}
    Product.objects.update(on_hand=F("on_hand") + 1)
    assert differences() == {product: (6, 5)}


def test_the_database_itself_reserves_no_more_than_there_is(ada: Caller) -> None:
    product = Product.objects.filter(pk=ada.product(on_hand=5))
    for wrong in ({"reserved": 6}, {"reserved": -1}, {"on_hand": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            product.update(**wrong)


def test_movements_are_filtered(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    ada.moves(product, "issue", 2)
    address = f"products/{product}/movements"
    assert [each["change"] for each in ada.gets(f"{address}?kind=issue")["items"]] == [-2]
    now = timezone.now()
    for delta, many in ((timedelta(minutes=1), 0), (-timedelta(minutes=1), 2)):
        since = (now + delta).isoformat().replace("+00:00", "Z")
        assert len(ada.gets(f"{address}?since={since}")["items"]) == many
    for wrong in (
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-01-01",
        "yesterday",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
    ):
        assert ada.ask("GET", f"{address}?since={wrong}").status_code == 422, wrong


def test_movements_are_written_down(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    entry = Entry.objects.latest("pk")
    assert (entry.principal, entry.action, entry.about) == ("ada", "receive", f"product {product}")
