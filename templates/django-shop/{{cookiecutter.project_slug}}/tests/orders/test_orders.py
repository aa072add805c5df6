"""Orders: what may happen to one, and what is written down of it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django.fixtures import Settings

from catalogue.models import Product, Variant
from config.money import Money
from orders import services, tasks
from orders.errors import EmptyBasketError, NoShippingError, OrderError, TotalChangedError, WrongStateError
from orders.models import Kind, Mail, Order, OrderEvent, OrderLine, ShippingMethod, TaxRate
from orders.states import NEXT, Status
from stock.errors import OutOfStockError
from stock.models import Level
from stock.services import differences
from tests.conftest import Commits
from tests.shelf import CUSTOMER, fill, make_variant, make_ways, place, total_of
from tests.together import together

pytestmark = pytest.mark.django_db


def level(variant: Variant) -> int:
    return Level.objects.get(pk=variant.pk).available


def test_an_order_keeps_what_was_true_when_it_was_placed(variant: Variant) -> None:
    order = place({variant: 3})
    Product.objects.update(name="Another name")
    Variant.objects.update(price=99)
    TaxRate.objects.update(percent=50)
    ShippingMethod.objects.update(name="Pigeon", price=1)
    order.refresh_from_db()
    (line,) = order.lines.all()
    assert (line.quantity, line.unit_price, line.tax_rate, line.total) == (3, 10, 19, 30)
    assert line.name.startswith("Thing ")
    assert (order.shipping_name, order.shipping, order.total) == ("Parcel", Decimal("4.90"), Decimal("34.90"))
    assert order.tax == Decimal("5.57")
    assert order.address_lines == ["Ada Brandt", "Harbour Road 1", "10115 Berlin", "Germany"]
    assert level(variant) == 7


def test_an_order_that_does_not_add_up_cannot_be_stored(variant: Variant) -> None:
    order = place({variant: 1})
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(total=1)


@pytest.mark.parametrize("cents", range(1, 60, 7))
def test_whatever_the_cents_it_adds_up_in_the_database_too(method: ShippingMethod, cents: int) -> None:
    order = place({make_variant(f"0.{cents:02}"): 3, make_variant("19.99"): 1})
    order.refresh_from_db()
    assert order.total == order.goods + order.shipping


def test_who_clicks_twice_has_ordered_once(variant: Variant, method: ShippingMethod) -> None:
    basket = fill({variant: 1})
    total = total_of(basket, method)
    services.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
    with pytest.raises(EmptyBasketError):
        services.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
    assert Order.objects.count() == 1


def test_nothing_is_ordered_for_another_total_than_was_shown(variant: Variant, method: ShippingMethod) -> None:
    basket = fill({variant: 2})
    shown = total_of(basket, method)
    Variant.objects.update(price=11)
    for total in (shown, Money(Decimal("0.01"), "EUR")):
        with pytest.raises(TotalChangedError, match=r"changed to €26\.90"):
            services.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
    assert (Order.objects.count(), level(variant), basket.lines.count()) == (0, 10, 1)


def test_nothing_is_half_ordered(variant: Variant, method: ShippingMethod) -> None:
    rare = make_variant(stock_of=1)
    basket = fill({variant: 2, rare: 1})
    total = total_of(basket, method)
    Level.objects.filter(pk=rare.pk).update(available=0)
    with pytest.raises(OutOfStockError):
        services.place(basket=basket, customer=CUSTOMER, method=method, expected=total)
    assert (Order.objects.count(), level(variant), basket.lines.count(), Mail.objects.count()) == (0, 10, 2, 0)


def test_what_is_not_for_sale_any_more_is_not_ordered(variant: Variant, method: ShippingMethod) -> None:
    basket = fill({variant: 1})
    total = total_of(basket, method)
    Product.objects.update(live=False)
    with pytest.raises(OutOfStockError):
        services.place(basket=basket, customer=CUSTOMER, method=method, expected=total)


def test_it_is_sent_only_where_somebody_takes_it(variant: Variant, method: ShippingMethod) -> None:
    basket = fill({variant: 1})
    ShippingMethod.objects.update(countries="FR")
    method.refresh_from_db()
    with pytest.raises(NoShippingError):
        services.place(basket=basket, customer=CUSTOMER, method=method, expected=total_of(basket, method))
    assert services.methods("DE") == []


def test_shipping_is_free_from_a_value(variant: Variant, method: ShippingMethod) -> None:
    assert total_of(fill({variant: 9}), method).amount == Decimal("94.90")
    assert total_of(fill({variant: 10}), method).amount == Decimal("100.00")


@pytest.mark.parametrize(("included", "tax"), [(True, "1.60"), (False, "1.90")])
def test_tax_is_of_the_country_and_of_the_class(
    variant: Variant, method: ShippingMethod, settings: Settings, included: bool, tax: str
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    ShippingMethod.objects.update(price=0)
    assert place({variant: 1}).tax == Decimal(tax)
    Product.objects.update(tax_class="zero")
    assert place({variant: 1}).tax == 0


def test_the_machine_is_the_table(variant: Variant) -> None:
    assert {seen.value: {to.value for to in after} for seen, after in NEXT.items()} == {
        "pending": {"paid", "cancelled", "expired"},
        "paid": {"shipped", "cancelled"},
        "shipped": {"returned"},
        "expired": {"paid"},
        "returned": set(),
        "cancelled": set(),
    }
    order = place({variant: 1})
    for seen in Status:
        for to in Status:
            Order.objects.filter(pk=order.pk).update(status=seen)
            order.status = seen
            if to in NEXT[seen]:
                services.change(order, to)
                assert Order.objects.get().status == to
            else:
                with pytest.raises(WrongStateError):
                    services.change(order, to)
                assert Order.objects.get().status == seen


def test_of_two_who_change_it_one_is_told_so(variant: Variant) -> None:
    order = place({variant: 1})
    mine, theirs = Order.objects.get(pk=order.pk), Order.objects.get(pk=order.pk)
    services.cancel(mine)
    with pytest.raises(WrongStateError, match="somebody else"):
        services.pay(theirs)
    assert level(variant) == 10
    assert [event.kind for event in order.events.all()] == [Kind.PLACED, Kind.CANCELLED]


def test_what_happened_is_not_changed(variant: Variant) -> None:
    event = place({variant: 1}).events.get()
    for change in (event.save, event.delete):
        with pytest.raises(TypeError):
            change()


def test_what_is_not_paid_in_time_is_for_others_again(variant: Variant) -> None:
    order, paid = place({variant: 4}), place({variant: 2})
    services.pay(paid)
    Order.objects.update(reserved_until=timezone.now() - timedelta(seconds=1))
    assert services.expire_unpaid() == 1
    assert services.expire_unpaid() == 0
    order.refresh_from_db()
    assert (order.status, level(variant)) == (Status.EXPIRED, 8)
    assert differences() == {}


def test_who_pays_late_gets_it_if_there_is_enough(variant: Variant) -> None:
    order = place({variant: 6})
    Order.objects.update(reserved_until=timezone.now() - timedelta(seconds=1))
    services.expire_unpaid()
    order.refresh_from_db()
    services.pay(order)
    assert (order.status, level(variant)) == (Status.PAID, 4)
    late = place({variant: 4})
    Order.objects.filter(pk=late.pk).update(reserved_until=timezone.now() - timedelta(seconds=1))
    services.expire_unpaid()
    place({variant: 1})
    late.refresh_from_db()
    with pytest.raises(OutOfStockError):
        services.pay(late)
    assert Order.objects.get(pk=late.pk).status == Status.EXPIRED


def test_what_comes_back_can_be_sold_again_or_not(variant: Variant) -> None:
    order = place({variant: 4})
    services.pay(order)
    with pytest.raises(WrongStateError):
        services.take_back(order, quantities={}, again=True, by=None)
    services.ship(order, tracking="1Z", by=None)
    line = order.lines.get()
    for wrong in ({}, {line.pk: 0}, {line.pk: 5}, {line.pk: -1}):
        with pytest.raises(OrderError):
            services.take_back(order, quantities=wrong, again=True, by=None)
    services.take_back(order, quantities={line.pk: 1}, again=False, by=None)
    assert (level(variant), Order.objects.get().status) == (6, Status.SHIPPED)
    services.take_back(order, quantities={line.pk: 3}, again=True, by=None)
    assert (level(variant), Order.objects.get().status) == (9, Status.RETURNED)
    assert OrderLine.objects.get().returned == 4
    assert differences() == {}


def test_each_event_has_one_mail(variant: Variant, commits: Commits) -> None:
    with commits():
        order = place({variant: 1})
    with commits():
        services.pay(order)
        services.ship(order, tracking="1Z999", by=None)
        services.record(order, Kind.ATTENTION, note="for us only")
    assert [message.subject for message in mail.outbox] == [
        f"Your order {order.number}",
        f"Order {order.number} is paid",
        f"Order {order.number} is on its way",
    ]
    assert "as parcel 1Z999" in mail.outbox[2].body
    assert order.get_absolute_url() in mail.outbox[0].body
    assert "€14.90" in mail.outbox[0].body
    names = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert len({*names}) == 3
    for event in OrderEvent.objects.exclude(kind=Kind.ATTENTION):
        tasks.send.enqueue(event.pk)
    assert len(mail.outbox) == 3, "who is told twice is annoyed"


@pytest.mark.parametrize("kind", sorted({*Kind} - {Kind.DECLINED, Kind.ATTENTION}))
def test_each_kind_has_its_words(variant: Variant, commits: Commits, kind: Kind) -> None:
    order = place({variant: 1})
    with commits():
        services.record(order, kind, note="€3.00")
    (message,) = mail.outbox
    assert order.number in message.subject
    assert "\n" not in message.subject
    assert "&" not in message.body


def test_a_mail_server_that_is_gone_loses_nothing(
    variant: Variant, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("no")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", gone)
        with commits():
            place({variant: 1})
    left = Mail.objects.get()
    assert (left.sent_at, left.attempts, left.error) == (None, 1, "ConnectionRefusedError: no")
    assert tasks.send_left() == 0, "somebody may be sending it still"
    Mail.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert tasks.send_left() == 1
    assert len(mail.outbox) == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<{left.message_id}@localhost>"
    assert tasks.send_left() == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_ten_workers_one_sends_a_mail(committed: None) -> None:
    make_ways()
    event = place({make_variant(): 1}).events.get()
    Mail.objects.update(sent_at=None, claimed_until=None)
    mail.outbox.clear()
    together(lambda _: tasks.send.call(event.pk), 10)
    assert len(mail.outbox) == 1


def test_one_mail_that_cannot_be_written_keeps_no_other_from_it(variant: Variant) -> None:
    broken, other = place({variant: 1}), place({variant: 1})
    Order.objects.filter(pk=broken.pk).update(email="two\nlines@example.org")
    Mail.objects.filter(event__order=broken).update(attempts=400)
    OrderEvent.objects.update(at=timezone.now() - timedelta(hours=1))
    tasks.send_left()
    assert [message.to for message in mail.outbox] == [[other.email]]
    assert "ValueError: Header values" in Mail.objects.get(event__order=broken).error


def test_a_mail_whose_task_was_lost_is_sent_a_minute_later(variant: Variant) -> None:
    place({variant: 1})
    assert tasks.send_left() == 0
    OrderEvent.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert tasks.send_left() == 1
    assert len(mail.outbox) == 1


class Life(RuleBasedStateMachine):
    """An order's life against a model of it: a state, and how many are in stock."""

    def __init__(self) -> None:
        super().__init__()
        make_ways()
        self.variant = make_variant(stock_of=5)
        self.order = place({self.variant: 2})
        self.state, self.stock, self.back = Status.PENDING, 3, 0

    def try_(self, may: bool, do: Callable[[], object]) -> bool:
        """The rules and the model agree on whether it may happen."""
        try:
            do()
        except (OrderError, OutOfStockError):
            assert not may
            self.order.refresh_from_db()
            return False
        assert may
        return True

    @rule()
    def pay(self) -> None:
        enough = self.stock >= 2
        may = self.state == Status.PENDING or (self.state == Status.EXPIRED and enough)
        if self.try_(may, lambda: services.pay(self.order)):
            self.stock -= 2 if self.state == Status.EXPIRED else 0
            self.state = Status.PAID

    @rule()
    def cancel(self) -> None:
        if self.try_(self.state in (Status.PENDING, Status.PAID), lambda: services.cancel(self.order)):
            self.state, self.stock = Status.CANCELLED, self.stock + 2

    @rule()
    def ship(self) -> None:
        if self.try_(self.state == Status.PAID, lambda: services.ship(self.order, tracking="", by=None)):
            self.state = Status.SHIPPED

    @rule()
    def expire(self) -> None:
        Order.objects.filter(pk=self.order.pk).update(reserved_until=timezone.now() - timedelta(seconds=1))
        services.expire_unpaid()
        self.order.refresh_from_db()
        if self.state == Status.PENDING:
            self.state, self.stock = Status.EXPIRED, self.stock + 2

    @rule(many=some.integers(0, 3), again=some.booleans())
    def take_back(self, many: int, again: bool) -> None:
        line = self.order.lines.get()
        may = self.state == Status.SHIPPED and 0 < many <= 2 - self.back
        do = lambda: services.take_back(self.order, quantities={line.pk: many}, again=again, by=None)  # noqa: E731
        if self.try_(may, do):
            self.back += many
            self.stock += many if again else 0
            self.state = Status.RETURNED if self.back == 2 else self.state

    @rule()
    def others_buy(self) -> None:
        if self.stock:
            self.stock -= 1
            place({self.variant: 1})

    @invariant()
    def agrees(self) -> None:
        found = Order.objects.get(pk=self.order.pk)
        assert found.status == self.state
        assert level(self.variant) == self.stock
        assert differences() == {}
        events = [event.kind for event in found.events.all()]
        assert events[-1] == Kind.PLACED if self.state == Status.PENDING else Kind.PLACED in events


def test_whatever_is_tried_it_does_what_a_simple_model_does(db: None) -> None:
    run_state_machine_as_test(
        Life, settings=hypothesis_settings(max_examples=25, stateful_step_count=12, deadline=None)
    )
