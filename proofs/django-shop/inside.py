"""What the proof asks of the shop from inside: to fill its shelves, to work at its desk, and whether all is right."""

import json
import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from secrets import token_hex
from typing import Any

from catalogue.models import Category, Product, Variant
from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone
from invoices.models import Invoice
from orders import services as orders
from orders.models import TOLD, Kind, Mail, Order, OrderEvent, OrderLine
from orders.states import NEXT, Status
from payments import services as payments
from payments.models import FakeIntent, Payment, Refund, WebhookEvent
from payments.providers.fake import FakeProvider
from payments.providers.intents import sign
from stock.models import Movement
from stock.services import differences
from tests.shelf import make_variant, make_ways, place

START = 300
LONG = timedelta(days=1)


def build() -> None:
    """Six things, so many of each."""
    make_ways()
    for number in range(6):
        make_variant("9.90", START, name=f"Thing {number}", sku=f"THING-{number}")


def begun(many: int) -> None:
    """Orders whose customers have paid, and of which the provider has told nobody yet: the messages, signed."""
    with transaction.atomic():
        category = Category.objects.get(path="things/")
        product = Product.objects.create(name="Message", slug=f"message-{token_hex(3)}", category=category)
        variant = make_variant("5.00", many, product=product, sku=product.slug)
        started = [payments.start(place({variant: 1})) for _ in range(many)]
    for payment in started:
        _, message = FakeProvider().pay(payment.reference, "works")
        assert message
        print(json.dumps({"body": message.decode(), "signature": sign(message)}))


def work() -> None:
    """At the desk, for ever: ship what is paid, or cancel it and give the money back."""
    while True:
        for order in Order.objects.filter(status=Status.PAID).order_by("?")[:5]:
            try:
                if random.random() < 0.5:
                    orders.ship(order, tracking=token_hex(4), by=None)
                else:
                    payments.cancel(order, by=None, note="by the proof")
            except orders.WrongStateError:
                continue


def later() -> None:
    """A day passes: nobody is believed to be at anything any more, and what was not paid is due."""
    long_ago = timezone.now() - LONG
    Mail.objects.filter(sent_at=None).update(claimed_until=None)
    OrderEvent.objects.update(at=F("at") - LONG)
    Refund.objects.filter(status=Refund.Status.PENDING).update(at=long_ago)
    Payment.objects.filter(to_void=True).update(started_at=long_ago)
    Order.objects.filter(status=Status.PENDING).update(reserved_until=long_ago)


def check() -> None:
    """What is wrong, as JSON: an empty list."""
    wrong: list[str] = []
    for part in (stock, whole, money, letters, papers):
        wrong += part()
    about = Counter(Order.objects.values_list("status", flat=True))
    print(
        json.dumps(
            {
                "wrong": wrong[:20],
                "orders": about,
                "mails": [str(m) for m in Mail.objects.values_list("message_id", flat=True)],
            }
        )
    )


def stock() -> list[str]:
    """What is there and what is sold are what there was."""
    wrong = [f"{sku}: level {level}, ledger {total}" for sku, (level, total) in differences().items()]
    kept = Q(order__status__in=[Status.PAID, Status.SHIPPED, Status.PENDING])
    sold = dict(OrderLine.objects.filter(kept).values_list("variant").annotate(Sum("quantity")))
    for variant in Variant.objects.select_related("level"):
        there = variant.movements.filter(reason="received").aggregate(all=Sum("delta"))["all"] or 0
        if variant.level.available + sold.get(variant.pk, 0) != there:
            wrong.append(f"{variant.sku}: {variant.level.available} + {sold.get(variant.pk, 0)} are not {there}")
    moved = Movement.objects.filter(reason="sold").values("reference", "variant")
    if moved.distinct().count() != moved.count() - late():
        wrong.append("something was taken twice for one order")
    return wrong


def late() -> int:
    """Orders that were paid after their time have taken their things again."""
    again = OrderEvent.objects.filter(kind=Kind.PAID, note__startswith="after its time").values("order")
    return OrderLine.objects.filter(order__in=again).count()


def whole() -> list[str]:
    """Every order has its lines, adds up, and has come to its state by steps that there are."""
    wrong = []
    for order in Order.objects.prefetch_related("lines", "events"):
        lines, kinds = list(order.lines.all()), [Kind(event.kind) for event in order.events.all()]
        steps = [Status(kind.value) for kind in kinds if kind.value in Status.values]
        path = [Status.PENDING, *steps]
        fits = all(after in NEXT[before] for before, after in pairwise(path))
        if not lines or sum(line.total for line in lines) != order.goods:
            wrong.append(f"{order}: its lines are not its goods")
        if kinds[:1] != [Kind.PLACED] or kinds.count(Kind.PLACED) != 1 or not fits or path[-1] != order.status:
            wrong.append(f"{order}: {order.status} by {kinds}")
    return wrong


def money() -> list[str]:
    """What the provider has, we know; what was paid for has its order; nothing goes back twice."""
    wrong = [f"{event}: not processed" for event in WebhookEvent.objects.filter(processed_at=None)]
    known: dict[str, Any] = {each.reference: each for each in Payment.objects.select_related("order")}
    for intent in FakeIntent.objects.filter(received__gt=0):
        payment = known.get(intent.reference)
        if payment is None:
            wrong.append(f"{intent}: paid, and nobody knows it")
            continue
        ours = int(payment.captured * 100), int(payment.refunded * 100)
        if ours != (intent.received, intent.refunded):
            wrong.append(f"{payment}: they have {intent.received, intent.refunded}, we {ours}")
        keeps = payment.order.status in (Status.PAID, Status.SHIPPED)
        if (intent.received - intent.refunded > 0) != keeps:
            wrong.append(
                f"{payment}: {intent.received - intent.refunded} kept, and its order is {payment.order.status}"
            )
    wrong += [f"{refund} of {refund.payment.order}: on its way" for refund in Refund.objects.filter(status="pending")]
    given, told = Refund.objects.filter(status="done").count(), OrderEvent.objects.filter(kind=Kind.REFUNDED).count()
    return wrong + ([f"{given} refunds, {told} events"] if given != told else [])


def letters() -> list[str]:
    """Every event of which the customer hears has its mail, and that was sent."""
    without = OrderEvent.objects.filter(kind__in=TOLD, mail=None)
    wrong = [f"{event}: no mail" for event in without]
    return wrong + [f"{mail}: not sent, {mail.error}" for mail in Mail.objects.filter(sent_at=None)]


def papers() -> list[str]:
    """Every order that was paid has one invoice, every refund its credit note, and there is no gap."""
    paid = OrderEvent.objects.filter(kind=Kind.PAID).values("order").distinct().count()
    done = Refund.objects.filter(status="done").count()
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    wrong = [] if numbers == list(range(1, paid + done + 1)) else [f"{len(numbers)} papers for {paid} and {done}"]
    return wrong + [f"{each}: changed" for each in Invoice.objects.all() if not each.intact]
