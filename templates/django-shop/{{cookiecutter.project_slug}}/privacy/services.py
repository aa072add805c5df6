"""What is held about a person: all of it in one file, and none of it any more.

A person is an account, and the orders that were made with its address; or the latter alone.
"""

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import reduce
from itertools import batched
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import ManyToOneRel, Model, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.module_loading import import_string

from accounts.models import User
from basket import services as baskets
from basket.models import Basket
from config import extras
from orders.models import Mail, Order, OrderEvent, new_token
from orders.states import Status
from payments.errors import PaymentError
from payments.models import Payment, Refund, WebhookEvent
from payments.tasks import void
from privacy.errors import NotYetError

SECRET = {"password", "token"}  # not about a person, but keys to what is
OTHERS = {"by"}  # who did it, and is somebody else
UNFINISHED = (Status.PENDING, Status.PAID)
OPEN = ("started", "authorised")  # payments of which something can still come
AT_ONCE = 100  # references in one question
ERASED = "erased"


def account_of(email: str) -> User | None:
    """The account with that address, in any case."""
    return User.objects.alias(lower=Lower("email")).filter(lower=email.lower()).first()


def addresses_of(email: str) -> list[str]:
    """The address, and the others that its account has shown to be its own; in small letters."""
    own = EmailAddress.objects.filter(user=account_of(email), user__isnull=False, verified=True)
    return sorted({email.lower(), *(address.lower() for address in own.values_list("email", flat=True))})


def orders_of(email: str) -> QuerySet[Order]:
    """The orders of the account, and those that were made with its addresses without one."""
    guests = Q(user=None, email__in=addresses_of(email))
    return Order.objects.filter(Q(user=account_of(email), user__isnull=False) | guests)


def messages_about(orders: QuerySet[Order]) -> QuerySet[WebhookEvent]:
    """What the provider has told about their payments."""
    found: set[str] = set()
    references = Payment.objects.filter(order__in=orders).values_list("reference", flat=True)
    for some in batched(references, AT_ONCE):
        named = reduce(or_, (Q(body__contains=reference) for reference in some))
        found.update(WebhookEvent.objects.filter(named).values_list("pk", flat=True))
    return WebhookEvent.objects.filter(pk__in=found)


def sessions_of(email: str) -> Iterator[tuple[Session, dict[str, Any]]]:
    """Where somebody is signed in, or has typed the address without being signed in; and what was typed there."""
    user, addresses = account_of(email), addresses_of(email)
    for session in Session.objects.iterator():
        held = session.get_decoded()
        typed = (held.get("checkout_address") or {}).get("email", "").lower()
        theirs = held["_auth_user_id"] == str(user and user.pk) if "_auth_user_id" in held else typed in addresses
        if theirs:
            yield session, {name: value for name, value in held.items() if name.startswith("checkout_")}


def everything(email: str) -> bytes:
    """A ZIP: `data.json` with every row, by the name of its table, and files that are held beside them."""
    orders, user, held = orders_of(email), account_of(email), Held()
    for start in (user, *orders, *messages_about(orders)):
        if start:
            held.take(start)
    held.rows["sessions"] = [typed for _, typed in sessions_of(email)]
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
        self.rows[label].append({name: self.value(row, name) for name in named})
        relations = [each for each in row._meta.get_fields(include_hidden=True) if isinstance(each, ManyToOneRel)]
        for relation in relations:
            # What a person did for others is not about that person.
            if relation.field.name not in OTHERS and relation.related_model is not LogEntry:
                for each in relation.related_model._default_manager.filter(**{relation.field.name: row}):
                    self.take(each)

    def value(self, row: Model, name: str) -> Any:
        """As JSON has it; what JSON has not becomes a file."""
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
    for name in extras.BEFORE_ERASING:
        for order in orders_of(email):
            import_string(name)(order)
    over = Q(order__status__in=(Status.EXPIRED, Status.CANCELLED), status="started")
    for payment in Payment.objects.filter(over, order__in=orders_of(email)):
        # Somebody could still pay on a page that was left open.
        Payment.objects.filter(pk=payment.pk).update(to_void=True)
        with suppress(PaymentError):  # then it is still open, and `forget` says so
            void.call(payment.pk)
    return forget(email, sessions=[session.pk for session, _ in sessions_of(email)])


@transaction.atomic
def forget(email: str, *, sessions: Collection[str]) -> int:
    """The same, when nothing can be paid any more."""
    addresses, user = addresses_of(email), account_of(email)
    for basket in Basket.objects.filter(user=user, user__isnull=False):
        baskets.locked(basket)  # who orders at this moment is waited for, or waits and finds nothing in it
    # Payments before orders, as everywhere: two who wait for each other would wait for ever.
    payments = list(Payment.objects.filter(order__in=orders_of(email)).select_for_update().order_by("pk"))
    orders = list(orders_of(email).select_for_update().order_by("pk"))
    if user and user.is_staff:
        raise NotYetError("You work here. First somebody must take that from your account.")
    refunds = Refund.objects.filter(payment__order__in=orders)
    open_ = {payment.order_id for payment in payments if payment.status in OPEN}
    waiting = [order for order in orders if order.status in UNFINISHED or order.pk in open_]
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
    LogEntry.objects.alias(lower=Lower("object_repr")).filter(lower__in=addresses).update(object_repr=ERASED)
    Session.objects.filter(pk__in=sessions).delete()
    if user and has_worked(user):
        nobody_any_more(user)
    elif user:
        user.delete()
    return len(orders)


def has_worked(user: User) -> bool:
    """Whether it is written down somewhere that this person did something. Then that stays written down."""
    relations = [each for each in user._meta.get_fields(include_hidden=True) if isinstance(each, ManyToOneRel)]
    done = [each for each in relations if each.field.name in OTHERS or each.related_model is LogEntry]
    return any(each.related_model._default_manager.filter(**{each.field.name: user}).exists() for each in done)


def nobody_any_more(user: User) -> None:
    """An account that is nobody's: what it did can be told from what others did, and not who it was."""
    EmailAddress.objects.filter(user=user).delete()
    Basket.objects.filter(user=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    user.set_unusable_password()
    user.email, user.first_name, user.last_name = f"{user.pk}@{ERASED}.invalid", "", ""
    user.is_active, user.last_login = False, None
    user.save()
