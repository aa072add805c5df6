"""The stock: nobody ever gets what is not there."""

from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from catalogue.models import Variant
from orders import services as orders
from orders.errors import EmptyBasketError
from orders.models import Order, OrderLine
from stock import services
from stock.errors import OutOfStockError
from stock.models import Level, Movement, Reason
from tests.shelf import CUSTOMER, fill, make_variant, make_ways, total_of
from tests.together import together


def level(variant: Variant) -> int:
    return Level.objects.get(pk=variant.pk).available


@pytest.mark.django_db
def test_what_is_taken_is_gone_and_in_the_ledger(variant: Variant) -> None:
    services.take(wanted={variant.pk: 4}, reference="A")
    assert level(variant) == 6
    services.put_back(given={variant.pk: 3}, reference="A")
    assert level(variant) == 9
    assert [(m.delta, m.reason, m.reference) for m in variant.movements.all()] == [
        (3, Reason.RELEASED, "A"),
        (-4, Reason.SOLD, "A"),
        (10, Reason.RECEIVED, ""),
    ]
    assert services.differences() == {}


@pytest.mark.django_db
def test_of_two_things_one_is_not_taken_without_the_other(variant: Variant) -> None:
    rare = make_variant(stock_of=1)
    with pytest.raises(OutOfStockError) as error:
        services.take(wanted={variant.pk: 4, rare.pk: 2}, reference="A")
    assert error.value.lacking == {rare.pk: 1}
    assert (level(variant), level(rare)) == (10, 1)
    assert not Movement.objects.filter(reference="A").exists()


@pytest.mark.django_db
def test_a_correction_never_leaves_less_than_nothing(variant: Variant) -> None:
    services.correct(variant=variant.pk, delta=-10, reason=Reason.DAMAGED, by=None)
    with pytest.raises(OutOfStockError):
        services.correct(variant=variant.pk, delta=-1, reason=Reason.DAMAGED, by=None)
    assert level(variant) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        Level.objects.filter(pk=variant.pk).update(available=-1)


@pytest.mark.django_db
def test_the_ledger_is_only_added_to(variant: Variant) -> None:
    movement = variant.movements.get()
    movement.delta = 1000
    for change in (movement.save, movement.delete):
        with pytest.raises(TypeError):
            change()


@pytest.mark.django_db
def test_a_level_that_is_not_the_sum_of_its_ledger_is_found(variant: Variant) -> None:
    Level.objects.filter(pk=variant.pk).update(available=11)
    assert services.differences() == {variant.sku: (11, 10)}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_clicks_on_one_button_one_orders(committed: None) -> None:
    method, variant = make_ways(), make_variant(stock_of=100)
    basket = fill({variant: 3})
    total = total_of(basket, method)

    def click(_: int) -> bool:
        try:
            orders.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
        except EmptyBasketError:
            return False
        return True

    assert sum(together(click, 20)) == 1
    assert level(variant) == 97


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_twenty_at_once_buy_exactly_what_is_there(committed: None) -> None:
    """Two things, wanted in opposite order; thirty of each; a hundred who want one of both."""
    method = make_ways()
    one, other = make_variant(stock_of=30), make_variant(stock_of=30)
    baskets = [[fill({one: 1, other: 1} if each % 2 else {other: 1, one: 1}) for _ in range(5)] for each in range(20)]
    total = total_of(baskets[0][0], method)

    def buy(number: int) -> int:
        sold = 0
        for basket in baskets[number]:
            with suppress(OutOfStockError):
                orders.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
                sold += 1
        return sold

    assert sum(together(buy, 20)) == 30
    for variant in (one, other):
        assert level(variant) == 0
        assert OrderLine.objects.filter(variant=variant).aggregate(many=Sum("quantity"))["many"] == 30
    assert services.differences() == {}
    assert Order.objects.count() == 30
