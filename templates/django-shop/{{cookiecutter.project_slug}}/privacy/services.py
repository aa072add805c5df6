"""What is held about a person: all of it in one file, and none of it any more.

A person is an account, and the orders that were made with its address; or the latter alone.
"""

import io
import json
import zipfile
from collections import defaultdict
from contextlib import suppress
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import ManyToOneRel, Model, Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import User
from orders.models import Mail, Order, OrderEvent, new_token
from orders.states import Status
from payments.errors import PaymentError
from payments.models import Payment, Refund, WebhookEvent
from payments.tasks import void
from privacy.errors import NotYetError

SECRET = {"password", "token"}  # not about a person, but keys to what is
OTHERS = {"by"}  # who did it, and is somebody else
UNFINISHED = (Status.PENDING, Status.PAID)
ERASED = "erased"


def account_of(email: str) -> User | None:
    """The account with that address, in any case."""
    return User.objects.alias(lower=Lower("email")).filter(lower=email.lower()).first()


def orders_of(email: str) -> QuerySet[Order]:
    """The orders of the account, and those that were made with the address without one."""
    return Order.objects.filter(Q(user=account_of(email), user__isnull=False) | Q(user=None, email=email.lower()))


def messages_about(orders: QuerySet[Order]) -> QuerySet[WebhookEvent]:
    """What the provider has told about their payments."""
    named = Q(pk__in=[])
    for reference in Payment.objects.filter(order__in=orders).values_list("reference", flat=True):
        named |= Q(body__contains=reference)
    return WebhookEvent.objects.filter(named)


def sessions_of(email: str, user: User | None) -> list[Session]:
    """Where somebody is signed in, or has typed that address at the checkout."""

    def theirs(held: dict[str, Any]) -> bool:
        typed = (held.get("checkout_address") or {}).get("email", "")
        return typed.lower() == email.lower() or bool(user and held.get("_auth_user_id") == str(user.pk))

    return [each for each in Session.objects.all() if theirs(each.get_decoded())]


def everything(email: str) -> bytes:
    """A ZIP: `data.json` with every row, by the name of its table, and files that are held beside them."""
    orders, user, held = orders_of(email), account_of(email), Held()
    for start in (user, *orders, *messages_about(orders)):
        if start:
            held.take(start)
    held.rows["sessions"] = [each.get_decoded() for each in sessions_of(email, user)]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(held.rows, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        for name, content in held.files.items():
            archive.writestr(name, content)
    return out.getvalue()


class Held:
    """Rows, and whatever points to them: so what another feature keeps about a person is found, and not named here."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.files: dict[str, bytes] = {}
        self._seen: set[tuple[str, Any]] = set()

    def take(self, row: Model) -> None:
        """A row, and those that point to it."""
        label = row._meta.label_lower
        if (label, row.pk) in self._seen:
            return
        self._seen.add((label, row.pk))
        named = (field.name for field in row._meta.concrete_fields if field.name not in SECRET | OTHERS)
        self.rows[label].append({name: self._value(row, name) for name in named})
        relations = [each for each in row._meta.get_fields(include_hidden=True) if isinstance(each, ManyToOneRel)]
        for relation in relations:
            # What a person did for others is not about that person.
            if relation.field.name not in OTHERS and relation.related_model is not LogEntry:
                for each in relation.related_model._default_manager.filter(**{relation.field.name: row}):
                    self.take(each)

    def _value(self, row: Model, name: str) -> Any:
        value = getattr(row, name)
        if isinstance(value, bytes | memoryview):
            file = f"{row._meta.label_lower}-{row.pk}.{name}"
            self.files[file] = bytes(value)
            return file
        return str(value) if isinstance(value, Model) else value


def erase(email: str) -> int:
    """Forget a person: the account goes, and orders stay for the books with nobody in them. How many orders it were.

    Raises NotYetError while an order, a payment or a refund is not finished, and for those who work here; nothing is
    erased then.
    """
    open_ = Payment.objects.filter(order__in=orders_of(email), order__status=Status.EXPIRED, status="started")
    for payment in open_:  # somebody could still pay on a page that was left open
        Payment.objects.filter(pk=payment.pk).update(to_void=True)
        with suppress(PaymentError):  # then it is still open, and `forget` says so
            void.call(payment.pk)
    return forget(email)


@transaction.atomic
def forget(email: str) -> int:
    """The same, when nothing can be paid any more."""
    # Payments before orders, as everywhere: two who wait for each other would wait for ever.
    payments = list(Payment.objects.filter(order__in=orders_of(email)).select_for_update().order_by("pk"))
    user, orders = account_of(email), list(orders_of(email).select_for_update().order_by("pk"))
    if user and user.is_staff:
        raise NotYetError("You work here. First somebody must take that from your account.")
    refunds = Refund.objects.filter(payment__order__in=orders)
    open_ = {payment.order_id for payment in payments if payment.status == "started"}
    expired = [order for order in orders if order.status == Status.EXPIRED and order.pk in open_]
    waiting = [order for order in orders if order.status in UNFINISHED] + expired
    waiting += [
        each.payment.order for each in refunds.filter(status=Refund.Status.PENDING).select_related("payment__order")
    ]
    if waiting:
        numbers = ", ".join(sorted({order.number for order in waiting}))
        raise NotYetError(f"Not finished yet: {numbers}. What is paid must be sent, what is not must be cancelled.")
    messages = messages_about(Order.objects.filter(pk__in=[order.pk for order in orders]))
    if messages.filter(processed_at=None).exists():
        raise NotYetError("A message about a payment is not read yet. Try again in an hour.")
    messages.delete()
    for order in orders:
        nowhere = dict.fromkeys(order.address, "") | {"name": ERASED, "country": order.address["country"]}
        nobody = {
            "email": f"{order.number.lower()}@{ERASED}.invalid",
            "token": new_token(),
            "tracking": "",
            "user": None,
        }
        Order.objects.filter(pk=order.pk).update(address=nowhere, **nobody)
    Mail.objects.filter(event__order__in=orders, sent_at=None).delete()
    Mail.objects.filter(event__order__in=orders).update(error="")
    OrderEvent.objects.filter(order__in=orders).update(note="")
    refunds.update(reason=ERASED)
    LogEntry.objects.filter(object_repr__icontains=email).update(object_repr=ERASED)
    for session in sessions_of(email, user):
        session.delete()
    if user:
        user.delete()
    return len(orders)
