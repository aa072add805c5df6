"""What may happen to money. What a provider says is applied; what it is to do is written down first, then done.

Nothing here asks a provider within a transaction. What it is to do is done by `tasks`, by a key: repeated, it happens
once.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import User
from config.money import Money
from orders import services as orders
from orders.errors import WrongStateError
from orders.models import Kind, Order, exact
from orders.states import Status as OrderStatus
from payments.errors import PaymentError, TooMuchError
from payments.models import Payment, Refund, Status, WebhookEvent
from payments.providers import Facts, provider
from stock.errors import OutOfStockError

logger = logging.getLogger("payments")
SURE = (Status.AUTHORISED, Status.CAPTURED)
RANK = [Status.STARTED, Status.AUTHORISED, Status.CANCELLED, Status.CAPTURED]
KEPT = timedelta(days=90)  # messages of which something was made
LONGEST_WAIT = timedelta(days=7)  # of a message that could not be processed; the desk shows it before


def start(order: Order) -> Payment:
    """The payment with which an order is paid: the one that was begun, or a new one. Two clicks begin one."""
    if order.status != OrderStatus.PENDING:
        raise PaymentError(f"Order {order} is {order.get_status_display()}: there is nothing to pay.")
    if begun := order.payments.filter(status=Status.STARTED, to_void=False).first():
        return begun
    key = f"{order.number}-{order.payments.count() + 1}"
    chosen = provider()
    reference = chosen.start(amount=order.to_pay, order=order.number, key=key)
    about = {"order": order, "amount": order.total, "currency": order.currency}
    payment, _ = Payment.objects.get_or_create(provider=chosen.name, reference=reference, defaults=about)
    return payment


def receive(*, name: str, body: bytes, signature: str) -> WebhookEvent:
    """A message of a provider: believed if it is signed, stored, and then made something of, once.

    Raises ForgedError and PaymentError, and stores nothing then. What cannot be processed now is later, by
    `housekeeping`: the provider hears that we have it.
    """
    message = provider(name).read(body, signature)
    text = body.decode()
    event, _ = WebhookEvent.objects.get_or_create(
        pk=f"{name}:{message.id}"[:120], defaults={"kind": message.kind[:80], "body": text}
    )
    try:
        process(event.pk)
    except Exception as error:
        logger.exception("webhook %s is stored, and was not processed", event.pk)
        failed = {"attempts": F("attempts") + 1, "error": f"{type(error).__name__}: {error}"[:300]}
        WebhookEvent.objects.filter(pk=event.pk).update(**failed)
    return event


@transaction.atomic
def process(event_id: str) -> None:
    """Make something of a stored message, once, however many try."""
    event = WebhookEvent.objects.select_for_update().get(pk=event_id)
    if event.processed_at:
        return
    name, _, _ = event.pk.partition(":")
    facts = provider(name).read(event.body.encode(), None).facts
    if facts and not learn(name, facts, heard=True):
        # It overtook the answer in which we learn the reference, or it is not of this shop.
        if event.received_at > timezone.now() - timedelta(hours=1):
            raise PaymentError(f"There is no payment {facts.reference} yet.")
        logger.warning("webhook %s is about a payment that nobody knows: %s", event.pk, facts.reference)
    event.processed_at, event.error = timezone.now(), ""
    event.save(update_fields=["processed_at", "error"])


def process_left() -> int:
    """Messages that were stored and of which nothing was made yet."""
    young = timezone.now() - LONGEST_WAIT
    left = WebhookEvent.objects.filter(processed_at=None, received_at__gt=young).values_list("pk", flat=True)
    done = 0
    for event in list(left):
        try:
            process(event)
        except Exception:
            logger.exception("webhook %s could not be processed again", event)
            WebhookEvent.objects.filter(pk=event).update(attempts=F("attempts") + 1)
        else:
            done += 1
    return done


@transaction.atomic
def learn(name: str, facts: Facts, *, heard: bool = False) -> bool:
    """Apply what a provider says (`heard`: without being asked). Nothing ever shrinks: messages may come in any order,
    late and twice.
    """
    payment = Payment.objects.select_for_update().filter(provider=name, reference=facts.reference).first()
    if payment is None:
        return False
    if facts.captured.currency != payment.currency or facts.captured.amount not in (0, payment.amount):
        worry(
            payment.order, f"{facts.captured} came, and {payment.amount} {payment.currency} were asked for: {payment}"
        )
        return True
    before = payment.status
    says = Status.CAPTURED if facts.captured else Status.AUTHORISED if facts.authorised else Status.STARTED
    says = Status.CANCELLED if facts.cancelled and says != Status.CAPTURED else says
    payment.status = max(Status(before), says, key=RANK.index)
    payment.captured = max(payment.captured, facts.captured.amount)
    payment.save()
    if payment.status in SURE and before not in SURE:
        settle(payment)
    elif payment.status == Status.CAPTURED and before != Status.CAPTURED and payment.to_void:
        give_back(payment, "It was captured when it was not wanted any more.")
    elif payment.status == Status.CANCELLED and before == Status.AUTHORISED and not payment.to_void:
        worry(payment.order, f"What was held on the card is gone: {payment}")
    if heard and facts.declined and payment.status == Status.STARTED:
        orders.record(payment.order, Kind.DECLINED, note=facts.declined)
    if facts.refunded.amount > payment.refunded:
        worry(
            payment.order, f"{facts.refunded} were given back elsewhere, and we know of {payment.refunded}: {payment}"
        )
    return True


def settle(payment: Payment) -> None:
    """The money is sure: the order is paid with it. What is not needed goes back."""
    order = Order.objects.select_for_update().get(pk=payment.order_id)
    try:
        with transaction.atomic():
            orders.pay(order)
        Payment.objects.filter(pk=payment.pk).update(settled=True)
    except OutOfStockError:
        give_back(payment, "It was paid after its time, and is sold out.")
    except WrongStateError:
        others = order.payments.exclude(pk=payment.pk).filter(status__in=SURE)
        if order.status in (OrderStatus.PAID, OrderStatus.SHIPPED) and not others.exists():
            return  # it is this one that has paid it before
        give_back(payment, f"The order was {order.get_status_display()} when the money came.")


def look_at_unpaid() -> None:
    """Before orders expire: is one of them paid, and the message about it was lost?"""
    late = {"order__status": OrderStatus.PENDING, "order__reserved_until__lt": timezone.now()}
    for payment in Payment.objects.filter(status=Status.STARTED, **late):
        try:
            look(payment)
        except PaymentError as error:
            logger.warning("payment %s could not be looked at: %s", payment, error)


def give_back(payment: Payment, reason: str, by: User | None = None) -> None:
    """All that is left of a payment, whether it was received or is held on the card."""
    worry(payment.order, f"{reason} The money goes back.", by=by)
    if payment.left:
        refund(payment=payment, amount=payment.left, reason=reason, by=by)
    elif payment.status != Status.CAPTURED:
        Payment.objects.filter(pk=payment.pk).update(to_void=True)
        later("void", payment.pk)


@transaction.atomic
def refund(*, payment: Payment, amount: Money, reason: str, by: User | None) -> Refund:
    """Promise money back, within what was received; a task gives it. Raises TooMuchError, PaymentError.

    One UPDATE asks and promises at once: of ten at a time none promises what another has promised.
    """
    if amount.currency != payment.currency or amount.amount <= 0:
        raise PaymentError(f"Between 0 and {payment.left}, please.")
    fits = Payment.objects.filter(pk=payment.pk, captured__gte=exact(F("refunded") + amount.amount))
    if not fits.update(refunded=exact(F("refunded") + amount.amount)):
        payment.refresh_from_db()
        raise TooMuchError(f"At most {payment.left} can be given back.")
    promised = Refund.objects.create(payment=payment, amount=amount.amount, reason=reason[:200], by=by)
    later("carry_out", promised.pk)
    return promised


@transaction.atomic
def refunded(promised: Refund, *, reference: str) -> None:
    """The provider has given it back."""
    still = Refund.objects.filter(pk=promised.pk, status=Refund.Status.PENDING)
    if still.update(status=Refund.Status.DONE, reference=reference):
        orders.record(promised.payment.order, Kind.REFUNDED, note=str(promised.money), by=promised.by)


@transaction.atomic
def refused(promised: Refund, *, why: str) -> None:
    """The provider will not: the promise is taken back, and somebody has to look."""
    still = Refund.objects.filter(pk=promised.pk, status=Refund.Status.PENDING)
    if still.update(status=Refund.Status.FAILED):
        Payment.objects.filter(pk=promised.payment_id).update(refunded=exact(F("refunded") - promised.amount))
        worry(promised.payment.order, f"{promised.money} could not be given back: {why}", by=promised.by)


@transaction.atomic
def cancel(order: Order, *, by: User | None, note: str = "") -> None:
    """Cancel an order, paid or not. What was paid goes back, and what is being paid is not wanted any more."""
    # Payments before the order, as `learn` does: two who wait for each other would wait for ever.
    payments = list(order.payments.select_for_update().order_by("pk").exclude(status=Status.CANCELLED))
    orders.cancel(order, by=by, note=note)
    for payment in payments:
        if payment.left:
            refund(payment=payment, amount=payment.left, reason=note or "The order was cancelled.", by=by)
        elif payment.status != Status.CAPTURED:
            Payment.objects.filter(pk=payment.pk).update(to_void=True)
            later("void", payment.pk)


def capture(payment: Payment) -> None:
    """Receive what is held on the card. Raises PaymentError with the provider's words."""
    amount = Money(payment.amount, payment.currency)
    key = f"capture-{payment.pk}"
    learn(payment.provider, provider(payment.provider).capture(payment.reference, amount=amount, key=key))


def look(payment: Payment) -> None:
    """Ask the provider how it stands, and apply it: for customers who come back sooner than the message."""
    learn(payment.provider, provider(payment.provider).look(payment.reference))


def worry(order: Order, note: str, *, by: User | None = None) -> None:
    """Something that somebody in the shop must look at."""
    logger.warning("order %s: %s", order, note)
    orders.record(order, Kind.ATTENTION, note=note, by=by)


def differences(since: timedelta) -> Iterator[tuple[Payment, str]]:
    """Where we and the provider are not of the same mind, one sentence each."""
    when = timezone.now() - since
    young = Q(started_at__gte=when) | Q(refunds__at__gte=when)
    for payment in Payment.objects.filter(young).distinct().select_related("order").iterator():
        try:
            facts = provider(payment.provider).look(payment.reference)
        except PaymentError as error:
            yield payment, str(error)
            continue
        waiting = payment.refunds.filter(status=Refund.Status.PENDING)
        promised = sum((each.amount for each in waiting), start=0 * payment.amount)
        for name, theirs, ours in (
            ("received", facts.captured.amount, payment.captured),
            ("given back", facts.refunded.amount, payment.refunded - promised),
        ):
            if theirs != ours:
                yield payment, f"{name}: they say {theirs}, we {ours} {payment.currency}"
        if facts.authorised and payment.order.status == OrderStatus.PENDING:
            yield payment, "it is paid, and the order waits for payment"


def forget_old() -> int:
    """Messages of providers have people in them: what was made of them is kept, they are not."""
    return WebhookEvent.objects.filter(processed_at__lt=timezone.now() - KEPT).delete()[0]


def oversight() -> dict[str, int]:
    """What the desk shows: what the clock has not got done."""
    before = timezone.now() - timedelta(hours=1)
    return {
        "messages not understood": WebhookEvent.objects.filter(processed_at=None, received_at__lt=before).count(),
        "held on cards, to receive": Payment.objects.filter(status=Status.AUTHORISED, to_void=False).count(),
        "refunds not given for an hour": Refund.objects.filter(status=Refund.Status.PENDING, at__lt=before).count(),
    }


def later(task: str, about: int) -> None:
    """After the commit. Tasks call these functions, so these know tasks by name only."""
    transaction.on_commit(lambda: import_string(f"payments.tasks.{task}").enqueue(about))
