"""What may happen to an order. Each change is one transaction: the state, the stock and the event, or nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from basket import services as baskets
from basket.models import Basket
from basket.services import Contents
from config import extras
from config.money import Money
from orders import tasks
from orders.errors import EmptyBasketError, NoShippingError, OrderError, TotalChangedError, WrongStateError
from orders.models import TOLD, Kind, Mail, Order, OrderEvent, OrderLine, ShippingMethod, TaxRate
from orders.pricing import Item, Quote, quote
from orders.states import NEXT, Status
from stock import services as stock
from stock.errors import OutOfStockError
from stock.models import Reason


@dataclass(frozen=True, slots=True)
class Address:
    """Where it goes."""

    name: str
    street: str
    postcode: str
    city: str
    country: str  # two letters, ISO 3166-1


@dataclass(frozen=True, slots=True)
class Customer:
    """Who orders."""

    email: str
    address: Address
    user: User | None = None


def methods(country: str) -> list[ShippingMethod]:
    """How things get there."""
    return [each for each in ShippingMethod.objects.filter(live=True) if country in each.countries.split()]


def quoted(basket: Basket, contents: Contents, method: ShippingMethod, country: str) -> Quote:
    """What all of it costs there, sent in that way. One query."""
    percent = dict(TaxRate.objects.filter(country=country).values_list("tax_class", "percent"))
    items = [
        Item(line.quantity, line.variant.money, percent.get(line.variant.product.tax_class, 0 * method.price))
        for line in contents.lines
    ]
    sent = Item(1, method.costs(contents.subtotal), percent.get(method.tax_class, 0 * method.price))
    plain = quote(items, sent, tax_included=settings.PRICES_INCLUDE_TAX)
    for module in extras.discounts():
        if offer := module.offer(basket, contents.subtotal, plain.goods):
            name, amount = offer
            return quote(items, sent, tax_included=plain.tax_included, discount=amount, discount_name=name)
    return plain


@transaction.atomic
def place(*, basket: Basket, customer: Customer, method: ShippingMethod, expected: Money) -> Order:
    """Order what is in the basket, for the total that the customer has seen; the stock is reserved for a while.

    Raises EmptyBasketError (a second click, too), OutOfStockError, NoShippingError and TotalChangedError; then nothing
    has happened.
    """
    baskets.locked(basket)
    contents = baskets.contents(basket)
    if not contents.lines:
        raise EmptyBasketError("Your basket is empty.")
    if gone := {line.variant_id: 0 for line in contents.lines if not line.for_sale}:
        raise OutOfStockError(gone)
    if customer.address.country not in method.countries.split() or not method.live:
        raise NoShippingError("We do not send it there in that way. Choose another one.")
    now = quoted(basket, contents, method, customer.address.country)
    if now.total != expected:
        raise TotalChangedError(f"The total has changed to {now.total}. Look at it once more, please.")
    order = Order.objects.create(
        user=customer.user,
        basket=basket,
        email=customer.email.lower(),
        address=asdict(customer.address),
        currency=now.total.currency,
        tax_included=now.tax_included,
        goods=now.goods.amount,
        shipping_name=method.name,
        shipping=now.shipping.gross.amount,
        discount=now.discount.amount,
        discount_name=now.discount_name,
        tax=now.tax.amount,
        total=now.total.amount,
        reserved_until=timezone.now() + settings.RESERVED_FOR,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            variant=line.variant,
            sku=line.variant.sku,
            name=str(line.variant),
            quantity=line.quantity,
            unit_price=priced.item.unit.amount,
            tax_rate=priced.item.percent,
            tax=priced.tax.amount,
            total=priced.gross.amount,
        )
        for line, priced in zip(contents.lines, now.lines, strict=True)
    )
    for module in extras.discounts():
        module.redeem(basket, order)
    basket.lines.all().delete()
    record(order, Kind.PLACED)
    # Last: whoever else wants the same things waits from here to the commit.
    stock.take(wanted={line.variant_id: line.quantity for line in contents.lines}, reference=order.number)
    if not now.total:
        pay(order)  # nobody asks for nothing
    return order


def change(order: Order, to: Status, *, note: str = "", by: User | None = None, **fields: str) -> None:
    """From the state in which the caller has seen it to another. Of two at once one is told that it came too late."""
    seen = Status(order.status)
    if to not in NEXT[seen]:
        raise WrongStateError(f"Order {order} is {seen.label}: it cannot become {to.label}.")
    if not Order.objects.filter(pk=order.pk, status=seen).update(status=to, **fields):
        raise WrongStateError(f"Order {order} was changed by somebody else. Look at it once more.")
    order.status = to
    record(order, Kind(to.value), note=note, by=by)


def record(order: Order, kind: Kind, *, note: str = "", by: User | None = None) -> OrderEvent:
    """Write down what happened; the customer's mail waits in the same transaction."""
    event = OrderEvent.objects.create(order=order, kind=kind, note=note[:300], by=by)
    if kind in TOLD:
        Mail.objects.create(event=event)
        transaction.on_commit(partial(tasks.send.enqueue, event.pk))
    return event


@transaction.atomic
def pay(order: Order) -> None:
    """It is paid. Late, it takes its things out of the stock again: OutOfStockError, when they are others' by now."""
    late = order.status == Status.EXPIRED
    change(order, Status.PAID, note="after its time, and there was enough" if late else "")
    if late:
        stock.take(wanted=held(order), reference=order.number)


@transaction.atomic
def cancel(order: Order, *, by: User | None = None, note: str = "") -> None:
    """It will not be sent; others can buy its things. What was paid is given back by `payments`."""
    change(order, Status.CANCELLED, by=by, note=note)
    stock.put_back(given=held(order), reference=order.number)


@transaction.atomic
def ship(order: Order, *, tracking: str, by: User | None) -> None:
    """It is on its way."""
    change(order, Status.SHIPPED, by=by, note=tracking, tracking=tracking)
    order.tracking = tracking


@transaction.atomic
def take_back(order: Order, *, quantities: Mapping[int, int], again: bool, by: User | None) -> None:
    """So many of each line (by id) came back; `again` puts them into the stock. When all did, it is returned."""
    Order.objects.select_for_update().get(pk=order.pk)  # of two parts at once one is the last
    if order.status != Status.SHIPPED:
        raise WrongStateError(f"Order {order} is {order.get_status_display()}: nothing of it can come back.")
    if not (wanted := {line: many for line, many in quantities.items() if many}):
        raise OrderError("Say how many of which came back.")
    back: dict[int, int] = {}
    for line in order.lines.filter(pk__in=wanted).order_by("pk"):
        many = wanted[line.pk]
        fits = OrderLine.objects.filter(pk=line.pk, returned__lte=F("quantity") - many)
        if many < 0 or not fits.update(returned=F("returned") + many):
            raise OrderError(f"Of {line.name} were {line.quantity} sent, and {line.returned} came back already.")
        if again and line.variant_id:
            back[line.variant_id] = many
    if back:
        stock.put_back(given=back, reference=order.number, reason=Reason.RETURNED)
    if order.lines.filter(returned__lt=F("quantity")).exists():
        record(order, Kind.RETURNED, note="a part of it", by=by)
    else:
        change(order, Status.RETURNED, by=by)


def held(order: Order) -> dict[int, int]:
    """What it has taken out of the stock, by variant."""
    return dict(order.lines.exclude(variant=None).values_list("variant_id", "quantity"))


def expire_unpaid() -> int:
    """Give back what was reserved for those who did not pay in time. Each order is a transaction of its own."""
    expired = 0
    for order in Order.objects.filter(status=Status.PENDING, reserved_until__lt=timezone.now()).iterator():
        try:
            with transaction.atomic():
                change(order, Status.EXPIRED)
                stock.put_back(given=held(order), reference=order.number)
        except WrongStateError:
            continue  # it was paid at this moment
        expired += 1
    return expired


def oversight() -> dict[str, int]:
    """What the desk shows: how many orders wait for what."""
    week, hour = timezone.now() - timedelta(days=7), timezone.now() - timedelta(hours=1)
    return {
        "to ship": Order.objects.filter(status=Status.PAID).count(),
        "waiting for payment": Order.objects.filter(status=Status.PENDING).count(),
        "sent back, this week": OrderEvent.objects.filter(kind=Kind.RETURNED, at__gte=week).count(),
        "mails not sent for an hour": Mail.objects.filter(sent_at=None, event__at__lt=hour).count(),
        "to look at, this week": OrderEvent.objects.filter(kind=Kind.ATTENTION, at__gte=week).count(),
    }
