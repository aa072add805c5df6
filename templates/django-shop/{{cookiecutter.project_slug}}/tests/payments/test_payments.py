"""Money: every payment has its order, nothing is counted twice, and no more goes back than came."""

import json
import time
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import stripe
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from stripe import WebhookSignature

from catalogue.models import Variant
from config.money import Money
from orders import services as orders
from orders.errors import WrongStateError
from orders.models import Kind, Order, OrderEvent, ShippingMethod
from orders.states import Status as OrderStatus
from payments import services, tasks
from payments.errors import PaymentError, TooMuchError, UnreachableError
from payments.models import FakeIntent, Payment, Refund, Status, WebhookEvent
from payments.providers import intents
from payments.providers.fake import FakeProvider
from payments.providers.intents import sign
from payments.providers.stripe import ask
from stock.models import Level
from stock.services import differences
from tests.conftest import Commits
from tests.shelf import make_variant, make_ways, place
from tests.together import together

pytestmark = pytest.mark.django_db
HOOK = "/webhooks/fake/"


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def message(payment: Payment, kind: str, identity: str = "evt_1", **about: Any) -> bytes:
    intent = {
        "id": payment.reference,
        "object": "payment_intent",
        "amount": Money(payment.amount, payment.currency).minor,
        "amount_received": 0,
        "currency": payment.currency.lower(),
        "status": "processing",
    }
    return json.dumps({"id": identity, "type": f"payment_intent.{kind}", "data": {"object": intent | about}}).encode()


def succeeded(payment: Payment, identity: str = "evt_1") -> bytes:
    minor = Money(payment.amount, payment.currency).minor
    return message(payment, "succeeded", identity, status="succeeded", amount_received=minor)


def send(body: bytes, *, at: float | None = None, secret: str = "", client: Client | None = None) -> int:
    stamp = int(at or time.time())
    signature = WebhookSignature.generate_signature_header(
        body.decode("latin-1"), secret or settings.WEBHOOK_SECRET, stamp
    )
    answer = (client or Client()).post(
        HOOK, body, content_type="application/json", headers={"Stripe-Signature": signature}
    )
    return answer.status_code


def pay(order: Order) -> Payment:
    """As a customer with a card that works."""
    payment = services.start(order)
    FakeProvider().pay(payment.reference, "works")
    services.look(payment)
    order.refresh_from_db()
    payment.refresh_from_db()
    return payment


@pytest.fixture
def order(variant: Variant) -> Order:
    return place({variant: 2})


@pytest.fixture
def payment(order: Order) -> Payment:
    return services.start(order)


def kinds(order: Order) -> list[str]:
    return [event.kind for event in order.events.all()]


def test_two_clicks_begin_one_payment(order: Order) -> None:
    first, second = services.start(order), services.start(order)
    assert first == second
    assert FakeIntent.objects.get().minor == 2490


def test_a_payment_makes_an_order_paid_once(payment: Payment) -> None:
    body = succeeded(payment)
    assert [send(body), send(body), send(succeeded(payment, "evt_2"))] == [200, 200, 200]
    payment.refresh_from_db()
    assert (payment.status, payment.captured) == (Status.CAPTURED, Decimal("24.90"))
    assert kinds(payment.order) == [Kind.PLACED, Kind.PAID]
    assert WebhookEvent.objects.count() == 2


@pytest.mark.parametrize(("secret", "seconds"), [("another", 0), ("", -302)])
def test_a_message_that_is_not_signed_lately_by_the_provider_is_nothing(
    payment: Payment, secret: str, seconds: int
) -> None:
    assert send(succeeded(payment), secret=secret, at=time.time() + seconds) == 400
    assert not WebhookEvent.objects.exists()
    assert kinds(payment.order) == [Kind.PLACED]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "t=1,v1=x",
        "v1=x",
        "garbage",
        "t=²,v1=x",
        f"t={int(time.time())},v1=é",
        "t=99999999999999999999,v1=x",
    ],
)
def test_no_header_is_believed(payment: Payment, header: str) -> None:
    body = succeeded(payment)
    answer = Client().post(HOOK, body, content_type="application/json", headers={"Stripe-Signature": header})
    assert answer.status_code == 400
    assert not WebhookEvent.objects.exists()


def test_a_message_whose_text_was_changed_is_nothing(payment: Payment) -> None:
    body = succeeded(payment)
    signature = sign(body)
    changed = body.replace(b"2490", b"2491")
    answer = Client().post(HOOK, changed, content_type="application/json", headers={"Stripe-Signature": signature})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"id":"e","type":"payment_intent.succeeded","data":{"object":{}}}', b"\xff\xfe",
     b'{"id":"e","type":"payment_intent.succeeded","data":{"object":{"id":1,"currency":2,"status":3,"amount":"x"}}}'],
)  # fmt: skip
def test_garbage_that_is_signed_is_refused(method: object, body: bytes) -> None:
    assert send(body) == 400
    assert not WebhookEvent.objects.exists()


def test_what_is_too_long_is_not_read(method: object) -> None:
    assert send(b"x" * (257 * 1024)) == 413


def test_what_is_not_about_a_payment_is_kept_and_done(method: object) -> None:
    assert send(b'{"id":"e","type":"customer.created","data":{"object":{}}}') == 200
    assert WebhookEvent.objects.get().processed_at


def test_a_message_that_overtakes_our_own_answer_waits(order: Order) -> None:
    reference = FakeProvider().start(amount=order.to_pay, order=order.number, key=f"{order.number}-1")
    unknown = Payment(order=order, provider="fake", reference=reference, amount=order.total, currency="EUR")
    assert send(succeeded(unknown)) == 200
    event = WebhookEvent.objects.get()
    assert (event.processed_at, event.attempts) == (None, 1)
    assert "no payment" in event.error
    services.start(order)
    assert services.process_left() == 1
    assert Order.objects.get().status == OrderStatus.PAID


def test_a_message_of_another_shop_is_laid_aside_after_an_hour(order: Order, payment: Payment) -> None:
    payment.reference = "pi_of_somebody_else"
    send(succeeded(payment))
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(hours=2))
    assert services.process_left() == 1
    assert WebhookEvent.objects.get().processed_at


def test_in_whatever_order_messages_come_it_ends_the_same(variant: Variant) -> None:
    ends = set()
    order = place({variant: 1})
    first = services.start(order)
    minor = Money(first.amount, "EUR").minor
    messages = [
        message(first, "payment_failed", "1", status="requires_payment_method", last_payment_error={"message": "No."}),
        message(first, "amount_capturable_updated", "2", status="requires_capture"),
        message(first, "succeeded", "3", status="succeeded", amount_received=minor),
        message(first, "canceled", "4", status="canceled"),
    ]
    for sequence in permutations(messages):
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.PENDING)
        Payment.objects.filter(pk=first.pk).update(status=Status.STARTED, captured=0)
        WebhookEvent.objects.all().delete()
        assert [send(body) for body in sequence] == [200] * 4
        first.refresh_from_db()
        ends.add((Order.objects.get().status, first.status, first.captured, first.refunded))
    assert ends == {(OrderStatus.PAID, Status.CAPTURED, first.amount, 0)}


def test_a_card_that_was_refused_is_written_down_once_however_often_one_looks(payment: Payment) -> None:
    _, told = FakeProvider().pay(payment.reference, "declined")
    assert told
    assert [send(told), send(told)] == [200, 200]
    for _ in range(3):
        Client().get(f"/orders/{payment.order.token}/paid/")
    assert kinds(payment.order) == [Kind.PLACED, Kind.DECLINED]


def test_one_payment_that_nobody_knows_any_more_keeps_no_other_from_it(
    order: Order, payment: Payment, variant: Variant
) -> None:
    other = services.start(place({variant: 1}))
    FakeIntent.objects.filter(pk=payment.reference).delete()  # of other keys, perhaps
    Payment.objects.update(to_void=True, started_at=timezone.now() - timedelta(hours=1))
    call_command("housekeeping")
    assert FakeIntent.objects.get(pk=other.reference).status == "canceled"
    assert Payment.objects.get(pk=payment.pk).to_void


def test_messages_are_not_kept_for_ever(payment: Payment) -> None:
    send(succeeded(payment))
    old = timezone.now() - timedelta(days=91)
    WebhookEvent.objects.create(pk="fake:old", kind="x", body="{}", processed_at=old)
    WebhookEvent.objects.create(pk="fake:not understood", kind="x", body="{}")
    WebhookEvent.objects.update(received_at=old)
    call_command("housekeeping")
    assert {*WebhookEvent.objects.values_list("pk", flat=True)} == {"fake:evt_1", "fake:not understood"}


def test_who_cannot_pay_is_told_so_and_not_in_the_words_of_the_provider(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> str:
        raise UnreachableError("Stripe: Invalid API Key provided: sk_live_****")

    monkeypatch.setattr(FakeProvider, "start", gone)
    answer = Client().get(f"/orders/{order.token}/pay/")
    assert answer.status_code == 502
    assert "Nothing was paid; try again in a minute." in answer.content.decode()
    assert "sk_live" not in answer.content.decode()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_deliveries_of_one_message_one_counts(committed: None) -> None:
    make_ways()
    payment = services.start(place({make_variant(): 1}))
    mail.outbox.clear()
    body = succeeded(payment)
    assert together(lambda _: send(body), 20) == [200] * 20
    assert WebhookEvent.objects.get().processed_at
    assert kinds(payment.order) == [Kind.PLACED, Kind.PAID]
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_deliveries_of_a_refusal_one_is_written_down(committed: None) -> None:
    make_ways()
    payment = services.start(place({make_variant(): 1}))
    _, told = FakeProvider().pay(payment.reference, "declined")
    assert told
    body = told
    assert together(lambda _: send(body), 20) == [200] * 20
    assert kinds(payment.order) == [Kind.PLACED, Kind.DECLINED]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_ten_refunds_at_once_no_more_goes_back_than_came(committed: None) -> None:
    make_ways()
    payment = pay(place({make_variant("10.10"): 3}))
    assert payment.captured == Decimal("35.20")

    def give(_: int) -> str:
        try:
            services.refund(payment=payment, amount=euro("8.80"), reason="x", by=None)
        except TooMuchError:
            return "too much"
        return "given"

    outcomes = together(give, 10)
    payment.refresh_from_db()
    assert sorted(outcomes) == ["given"] * 4 + ["too much"] * 6
    assert payment.refunded == payment.captured
    assert FakeIntent.objects.get().refunded == 3520
    assert [refund.status for refund in Refund.objects.all()] == ["done"] * 4


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_cancelling_and_paying_at_once_wait_for_each_other_and_lose_nothing(committed: None) -> None:
    make_ways()
    variant = make_variant(stock_of=20)
    for _ in range(10):
        order = place({variant: 1})
        payment = services.start(order)
        FakeProvider().pay(payment.reference, "works")
        cancel_and_learn(order, payment)
        order.refresh_from_db()
        payment.refresh_from_db()
        kept = payment.left == order.to_pay
        assert (order.status == OrderStatus.PAID) == kept, "the money is where the order says"
    assert differences() == {}


def cancel_and_learn(order: Order, payment: Payment) -> None:
    """Both in the same moment."""

    def run(number: int) -> None:
        with suppress(WrongStateError):  # the other one was faster
            if number:
                services.cancel(order, by=None)
            else:
                services.look(payment)

    together(run, 2)


@pytest.mark.parametrize("amount", ["0", "-1", "24.91", "1000000"])
def test_what_cannot_be_given_back_is_refused(order: Order, amount: str) -> None:
    payment = pay(order)
    with pytest.raises(PaymentError, match=r"24\.90"):
        services.refund(payment=payment, amount=euro(amount), reason="x", by=None)
    with pytest.raises(PaymentError):
        services.refund(payment=payment, amount=Money(Decimal(1), "USD"), reason="x", by=None)
    assert not Refund.objects.exists()


def test_a_refund_is_told_when_it_was_given(order: Order, commits: Commits) -> None:
    payment = pay(order)
    with commits():
        services.refund(payment=payment, amount=euro("5"), reason="A scratch.", by=None)
    assert kinds(order)[-1] == Kind.REFUNDED
    assert "€5.00 go back to you" in mail.outbox[-1].subject
    assert FakeIntent.objects.get().refunded == 500


def test_a_provider_that_does_not_answer_is_asked_again_by_the_same_key(
    order: Order, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = pay(order)
    real = FakeProvider.refund

    def lost(self: FakeProvider, reference: str, *, amount: Money, key: str) -> str:
        real(self, reference, amount=amount, key=key)  # it has happened, and nobody hears of it
        raise UnreachableError("timeout")

    with monkeypatch.context() as patched:
        patched.setattr(FakeProvider, "refund", lost)
        with commits():
            refund = services.refund(payment=payment, amount=euro("5"), reason="x", by=None)
    refund.refresh_from_db()
    assert refund.status == Refund.Status.PENDING
    assert tasks.do_left() == 0, "it may be on its way"
    Refund.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert tasks.do_left() == 1
    refund.refresh_from_db()
    assert (refund.status, FakeIntent.objects.get().refunded) == (Refund.Status.DONE, 500)
    tasks.carry_out.enqueue(refund.pk)
    assert FakeIntent.objects.get().refunded == 500


def test_a_refund_that_the_provider_refuses_is_taken_back_and_somebody_must_look(
    order: Order, commits: Commits
) -> None:
    payment = pay(order)
    FakeIntent.objects.update(refunds={"by hand": 2000})  # by hand, at the provider
    with commits():
        services.refund(payment=payment, amount=euro("10"), reason="x", by=None)
    payment.refresh_from_db()
    assert (payment.refunded, Refund.objects.get().status) == (0, Refund.Status.FAILED)
    assert kinds(order)[-1] == Kind.ATTENTION


def expire(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(reserved_until=timezone.now() - timedelta(seconds=1))
    orders.expire_unpaid()
    order.refresh_from_db()


def test_who_pays_late_gets_it_or_the_money_back(variant: Variant, commits: Commits) -> None:
    order = place({variant: 6})
    payment = services.start(order)
    expire(order)
    assert send(succeeded(payment)) == 200
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    late = place({variant: 4})
    payment = services.start(late)
    expire(late)
    place({variant: 1})
    FakeProvider().pay(payment.reference, "works")
    with commits():
        assert send(succeeded(payment, "evt_2")) == 200
    late.refresh_from_db()
    payment.refresh_from_db()
    assert (late.status, payment.left, payment.captured) == (OrderStatus.EXPIRED, euro("0"), payment.amount)
    assert kinds(late)[-2:] == [Kind.ATTENTION, Kind.REFUNDED]
    assert Refund.objects.get().status == Refund.Status.DONE
    assert differences() == {}


def test_money_for_a_cancelled_order_goes_back(order: Order, payment: Payment, commits: Commits) -> None:
    orders.cancel(order)
    FakeProvider().pay(payment.reference, "works")
    with commits():
        send(succeeded(payment))
    payment.refresh_from_db()
    assert (payment.left, Order.objects.get().status) == (euro("0"), OrderStatus.CANCELLED)


def test_who_pays_twice_gets_one_back(order: Order, commits: Commits) -> None:
    first = services.start(order)
    reference = FakeProvider().start(amount=order.to_pay, order=order.number, key="by hand")
    second = Payment.objects.create(
        order=order, provider="fake", reference=reference, amount=order.total, currency="EUR"
    )
    for number, payment in enumerate((first, second)):
        FakeProvider().pay(payment.reference, "works")
        with commits():
            send(succeeded(payment, f"evt_{number}"))
    lefts = [Payment.objects.get(pk=payment.pk).left for payment in (first, second)]
    assert lefts == [order.to_pay, euro("0")]


def test_another_amount_than_was_asked_for_pays_nothing(payment: Payment) -> None:
    send(message(payment, "succeeded", status="succeeded", amount_received=99999))
    send(message(payment, "succeeded", "evt_2", status="succeeded", amount_received=2490, currency="usd"))
    assert kinds(payment.order) == [Kind.PLACED, Kind.ATTENTION, Kind.ATTENTION]
    payment.refresh_from_db()
    assert payment.captured == 0


def test_a_part_of_the_amount_pays_nothing(payment: Payment) -> None:
    send(message(payment, "succeeded", status="succeeded", amount_received=100))
    assert Order.objects.get().status == OrderStatus.PENDING
    assert kinds(payment.order)[-1] == Kind.ATTENTION


def test_cancelling_gives_everything_back(order: Order, commits: Commits) -> None:
    payment = pay(order)
    with commits():
        services.refund(payment=payment, amount=euro("4.90"), reason="x", by=None)
        services.cancel(order, by=None, note="Out of fashion.")
    payment.refresh_from_db()
    assert (payment.left, FakeIntent.objects.get().refunded) == (euro("0"), 2490)
    assert Level.objects.get().available == 10


def test_cancelling_before_payment_closes_the_door(order: Order, payment: Payment, commits: Commits) -> None:
    with commits():
        services.cancel(order, by=None)
    payment.refresh_from_db()
    assert (payment.status, payment.to_void) == (Status.CANCELLED, False)
    assert FakeProvider().pay(payment.reference, "works") == ("canceled", None)


def test_who_pays_in_the_moment_of_cancelling_gets_it_back(order: Order, payment: Payment, commits: Commits) -> None:
    FakeProvider().pay(payment.reference, "works")
    with commits():
        services.cancel(order, by=None)
    payment.refresh_from_db()
    assert (payment.status, payment.left) == (Status.CAPTURED, euro("0"))


class TestManual:
    """What is held on a card is captured later, or let go."""

    @pytest.fixture(autouse=True)
    def manual(self, settings: Settings) -> None:
        settings.PAYMENT_CAPTURE = "manual"

    def test_held_is_enough_to_pay_and_is_captured_by_us(self, order: Order) -> None:
        payment = pay(order)
        assert (payment.status, payment.captured, order.status) == (Status.AUTHORISED, 0, OrderStatus.PAID)
        services.capture(payment)
        services.capture(payment)
        payment.refresh_from_db()
        assert (payment.status, payment.captured) == (Status.CAPTURED, order.total)
        assert kinds(order) == [Kind.PLACED, Kind.PAID]

    def test_cancelling_lets_go(self, order: Order, commits: Commits) -> None:
        payment = pay(order)
        with commits():
            services.cancel(order, by=None)
        assert FakeIntent.objects.get().status == "canceled"
        payment.refresh_from_db()
        assert (payment.status, payment.to_void) == (Status.CANCELLED, False)
        with pytest.raises(PaymentError):
            services.capture(payment)


def test_a_hold_that_is_gone_pays_nothing_and_somebody_must_look(variant: Variant) -> None:
    first = services.start(place({variant: 1}))
    gone, held = message(first, "canceled", "1", status="canceled"), "amount_capturable_updated"
    assert send(gone) == send(message(first, held, "2", status="requires_capture")) == 200
    assert Order.objects.get().status == OrderStatus.PENDING
    second = services.start(place({variant: 1}))
    send(message(second, held, "3", status="requires_capture"))
    send(message(second, "canceled", "4", status="canceled"))
    second.refresh_from_db()
    assert second.status == Status.CANCELLED
    assert kinds(second.order) == [Kind.PLACED, Kind.PAID, Kind.ATTENTION]


def test_what_was_captured_while_it_was_cancelled_goes_back(order: Order, settings: Settings, commits: Commits) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    payment = pay(order)
    FakeProvider().capture(payment.reference, amount=order.to_pay, key="x")  # and nobody hears of it
    with commits():
        services.cancel(order, by=None)
    payment.refresh_from_db()
    assert (payment.status, payment.left) == (Status.CAPTURED, euro("0"))


def test_a_lost_message_is_asked_for_before_the_order_expires(order: Order, payment: Payment) -> None:
    FakeProvider().pay(payment.reference, "works")
    Order.objects.update(reserved_until=timezone.now() - timedelta(seconds=1))
    call_command("housekeeping")
    assert Order.objects.get().status == OrderStatus.PAID


def test_what_costs_nothing_is_paid(method: object, settings: Settings) -> None:
    ShippingMethod.objects.update(price=0)
    assert place({make_variant("0.00"): 1}).status == OrderStatus.PAID


def test_stripe_s_own_objects_are_understood() -> None:
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 500, "amount_received": 500, "currency": "eur"}
    answer = stripe.PaymentIntent.construct_from(intent | {"status": "succeeded"}, "key")
    assert intents.facts(ask(lambda: answer)).captured == euro("5")

    def gone() -> None:
        raise stripe.APIConnectionError("gone")  # type: ignore[no-untyped-call]

    with pytest.raises(UnreachableError):
        ask(gone)


def test_a_message_that_cannot_be_processed_is_kept(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patched:
        patched.setattr("payments.services.learn", breaks)
        assert send(succeeded(payment)) == 200
        services.process_left()
    event = WebhookEvent.objects.get()
    assert (event.processed_at, event.attempts) == (None, 2)
    assert event.error == "RuntimeError: a mistake of ours"
    assert services.process_left() == 1
    assert Order.objects.get().status == OrderStatus.PAID


def test_what_differs_is_found(order: Order, payment: Payment, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reconcile")
    FakeProvider().pay(payment.reference, "works")  # and the message is lost
    with pytest.raises(CommandError, match="2 differ"):
        call_command("reconcile")
    assert "received: they say 24.90, we 0" in capsys.readouterr().out
    services.look(payment)
    call_command("reconcile")
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    FakeIntent.objects.update(refunds={"elsewhere": 100})
    with pytest.raises(CommandError, match="1 differ"):
        call_command("reconcile")
    Level.objects.update(available=1)
    with pytest.raises(CommandError, match="2 differ"):
        call_command("reconcile")


def test_there_is_no_fake_in_production(payment: Payment, settings: Settings) -> None:
    settings.PRODUCTION = True
    assert send(succeeded(payment)) == 404
    with pytest.raises(PaymentError, match="not for production"):
        FakeProvider()


def test_an_unknown_provider_is_not_there(method: object) -> None:
    assert Client().post("/webhooks/paypal/", b"{}", content_type="application/json").status_code == 404
    assert Client().get(HOOK).status_code == 405


def test_every_payment_has_its_order_and_every_event_its_mail(order: Order, commits: Commits) -> None:
    with commits():
        pay(order)
    told = OrderEvent.objects.exclude(kind__in=[Kind.DECLINED, Kind.ATTENTION])
    assert all(event.mail for event in told)
