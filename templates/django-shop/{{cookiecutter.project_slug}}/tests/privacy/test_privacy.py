"""What is held about a person: all of it is given out, and nothing of it is left."""

import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from basket import services as baskets
from basket.models import Basket
from config import extras
from orders import services as orders
from orders.models import Kind, Mail, Order
from orders.services import Address, Customer
from orders.states import Status
from payments import services as payments
from payments.models import WebhookEvent
from payments.providers.fake import FakeProvider
from payments.providers.intents import sign
from payments.tasks import carry_out
from privacy import services
from privacy.errors import NotYetError
from stock import services as stock
from stock.models import Movement, Reason
from stock.services import differences
from tests.conftest import make_person
from tests.shelf import ADDRESS, PASSWORD, make_variant, make_ways, place, total_of
from tests.together import together

pytestmark = pytest.mark.django_db
type Staff = Callable[[str], Client]
GRACE = "grace.hopper@example.org"
WHERE = Address(name="Grace Hopper", street="Compiler Lane 7", postcode="99421", city="Weimar", country="DE")
OF_HER = ("grace", "Hopper", "Compiler Lane", "99421", "Weimar", "1Z-GRACE", "She called")


def paid(user: User | None = None, email: str = GRACE, where: Address = WHERE) -> Order:
    order = place({make_variant(): 1}, Customer(email=email, address=where, user=user))
    payment = payments.start(order)
    _, message = FakeProvider().pay(payment.reference, "works")
    assert message
    payments.receive(name="fake", body=message, signature=sign(message))
    order.refresh_from_db()
    return order


@pytest.fixture
def grace(method: object) -> User:
    """Somebody of whom everything is held that can be."""
    user = make_person(GRACE)
    client = Client()
    client.post("/account/login/", {"login": GRACE, "password": PASSWORD})
    session = client.session
    session["checkout_address"] = {"name": WHERE.name}
    session.save()
    order, guest = paid(user), paid()
    packer = make_person("packer@example.org", staff=True)
    orders.ship(order, tracking="1Z-GRACE", by=packer)
    payment = order.payments.get()
    amount = order.money(Decimal(1))
    given = payments.refund(payment=payment, amount=amount, reason="She called: Weimar was rainy.", by=None)
    carry_out.call(given.pk)
    orders.ship(guest, tracking="1Z-GRACE", by=None)
    Mail.objects.filter(event__order=order).update(error=f"refused: {GRACE}")
    event = WebhookEvent.objects.first()
    assert event
    WebhookEvent.objects.filter(pk=event.pk).update(
        body=event.body.replace("{", '{"receipt_email": "' + GRACE + '",', 1)
    )
    baskets.add(basket=Basket.objects.create(user=user), variant=make_variant(), quantity=2)
    kind = ContentType.objects.get_for_model(User)
    admin = make_person("boss@example.org", staff=True)
    LogEntry.objects.create(
        user=admin,
        content_type=kind,
        object_id=str(user.pk),
        object_repr=GRACE,
        action_flag=CHANGE,
        action_time=timezone.now(),
    )
    kind = ContentType.objects.get_for_model(EmailAddress)
    LogEntry.objects.create(
        user=admin, content_type=kind, object_id="1", object_repr=GRACE, action_flag=CHANGE, action_time=timezone.now()
    )
    return user


def opened(body: bytes) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return json.loads(archive.read("data.json")), archive.namelist()


def left_of(words: tuple[str, ...]) -> list[str]:
    """In which columns of which tables one of these words still stands, pictures and papers apart."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        rows: Any = model._default_manager.all()
        for row in rows:
            for field in model._meta.concrete_fields:
                value = row.get_decoded() if field.name == "session_data" else getattr(row, field.attname)
                if not isinstance(value, bytes) and any(word.lower() in str(value).lower() for word in words):
                    found.append(f"{model._meta.label_lower}.{field.name}: {value}")
    return found


def test_everything_that_is_held_is_given_out(grace: User) -> None:
    held, files = opened(services.everything(" GRACE.hopper@example.org".strip()))
    assert [order["email"] for order in held["orders.order"]] == [GRACE, GRACE]
    assert {*held} >= {
        "accounts.user", "account.emailaddress", "basket.basket", "basket.line", "orders.order", "orders.orderline",
        "orders.orderevent", "orders.mail", "payments.payment", "payments.refund", "payments.webhookevent", "sessions",
    }  # fmt: skip
    assert held["sessions"][0]["checkout_address"] == {"name": "Grace Hopper"}
    text = json.dumps(held)
    for word in OF_HER:
        assert word in text, word
    assert "packer@example.org" not in text
    assert User.objects.get(pk=grace.pk).password not in text
    assert not any(token in text for token in Order.objects.values_list("token", flat=True))
    assert {"data.json"} <= {*files}


def test_every_place_that_has_something_of_her_is_in_the_export(grace: User) -> None:
    """Whatever table is added later, by whichever feature: what is about her there must be found."""
    held, _ = opened(services.everything(GRACE))
    places = {place.partition(":")[0].rpartition(".")[0] for place in left_of(OF_HER)}
    assert places - {*held} - {"sessions.session", "admin.logentry"} == set()


def test_of_others_nothing_is_given_out(grace: User, ada: User) -> None:
    paid(ada, "ada@example.org")
    held, _ = opened(services.everything(GRACE))
    assert "ada@example.org" not in json.dumps(held)
    held, _ = opened(services.everything("ada@example.org"))
    assert GRACE not in json.dumps(held)
    assert len(held["orders.order"]) == 1


def test_what_one_did_for_others_is_theirs(grace: User) -> None:
    boss = User.objects.get(email="boss@example.org")
    orders.record(Order.objects.filter(user=grace).get(), Kind.ATTENTION, note="She called.", by=boss)
    held, _ = opened(services.everything("boss@example.org"))
    assert "She called" not in json.dumps(held)


def test_nothing_is_left_of_who_is_erased(grace: User, ada: User) -> None:
    other = paid(ada, "ada@example.org", ADDRESS)
    sums = [*Order.objects.order_by("pk").values_list("number", "total", "tax", "status")]
    assert left_of(OF_HER)
    assert services.erase(GRACE) == 2
    assert left_of(OF_HER) == []
    assert [*Order.objects.order_by("pk").values_list("number", "total", "tax", "status")] == sums
    assert not User.objects.filter(pk=grace.pk).exists()
    other.refresh_from_db()
    assert (other.email, other.address["name"]) == ("ada@example.org", ADDRESS.name)
    assert differences() == {}
    assert Order.objects.first().address["country"] == "DE"  # type: ignore[union-attr]


def test_the_old_address_of_an_order_is_dead(grace: User) -> None:
    link = Order.objects.filter(user=grace).get().get_absolute_url()
    assert Client().get(link).status_code == 200
    services.erase(GRACE)
    assert Client().get(link).status_code == 404


@pytest.mark.parametrize("status", [Status.PENDING, Status.PAID])
def test_what_is_not_finished_must_be_finished_first(grace: User, status: Status) -> None:
    order = place({make_variant(): 1}, Customer(email=GRACE, address=WHERE, user=grace))
    Order.objects.filter(pk=order.pk).update(status=status)
    before = left_of(OF_HER)
    with pytest.raises(NotYetError, match=f"Not finished yet: {order.number}"):
        services.erase(GRACE)
    assert left_of(OF_HER) == before


def test_an_order_that_nobody_has_paid_cannot_be_paid_afterwards(grace: User) -> None:
    order = place({make_variant(): 1}, Customer(email=GRACE, address=WHERE, user=grace))
    payment = payments.start(order)
    Order.objects.filter(pk=order.pk).update(status=Status.EXPIRED)
    services.erase(GRACE)
    assert FakeProvider().pay(payment.reference, "works") == ("canceled", None)
    assert left_of(OF_HER) == []


def test_what_is_held_on_a_card_must_be_received_or_let_go_first(grace: User, settings: Settings) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    order = paid(grace)
    orders.ship(order, tracking="", by=None)
    with pytest.raises(NotYetError, match=f"Not finished yet: {order.number}"):
        services.erase(GRACE)
    payments.capture(order.payments.get())
    assert services.erase(GRACE) == 3


written: list[str] = []


def write(order: Order) -> None:
    written.append(order.address["name"])


def test_what_an_order_still_lacks_is_written_before_its_name_is_gone(
    grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "BEFORE_ERASING", [f"{__name__}.write"])
    services.erase(GRACE)
    assert written == ["Grace Hopper"] * 2


def test_who_has_worked_here_leaves_what_was_done_and_no_name(grace: User, ada: User) -> None:
    order = paid(ada, "ada@example.org", ADDRESS)
    orders.ship(order, tracking="", by=grace)
    stock.correct(variant=make_variant().pk, delta=1, reason=Reason.COUNTED, by=grace)
    kind = ContentType.objects.get_for_model(Order)
    LogEntry.objects.create(user=grace, content_type=kind, object_id="1", object_repr="x", action_flag=CHANGE)
    grace.groups.add(Group.objects.get(name="Fulfilment"))
    services.erase(GRACE)
    assert left_of(OF_HER) == []
    grace.refresh_from_db()
    assert grace.email.endswith("@erased.invalid")
    assert (grace.is_active, grace.has_usable_password(), grace.groups.count()) == (False, False, 0)
    assert order.events.filter(by=grace).exists()
    assert Movement.objects.filter(by=grace).exists()
    assert LogEntry.objects.filter(user=grace).exists()


def test_who_has_typed_an_address_of_others_keeps_the_session(grace: User, ada: User) -> None:
    bob = Client()
    bob.force_login(ada)
    session = bob.session
    session["checkout_address"] = {"email": GRACE, "street": "Bob's Road 1"}
    session.save()
    held, _ = opened(services.everything(GRACE))
    assert "Bob's Road" not in json.dumps(held)
    assert "_auth_user_hash" not in json.dumps(held)
    services.erase(GRACE)
    assert bob.get("/orders/").status_code == 200


def test_orders_of_each_address_that_is_theirs_are_theirs(grace: User) -> None:
    EmailAddress.objects.create(user=grace, email="Old@example.org", verified=True)
    EmailAddress.objects.create(user=grace, email="guessed@example.org", verified=False)
    for email in ("old@example.org", "guessed@example.org"):
        orders.ship(paid(email=email, where=ADDRESS), tracking="", by=None)
    assert services.erase(GRACE) == 3
    assert left_of(("old@example.org",)) == []
    assert Order.objects.filter(email="guessed@example.org").exists()


def test_the_log_of_who_only_sounds_alike_stays(grace: User) -> None:
    kind, boss = ContentType.objects.get_for_model(User), User.objects.get(email="boss@example.org")
    alike = f"anna-{GRACE}"
    LogEntry.objects.create(user=boss, content_type=kind, object_id="1", object_repr=alike, action_flag=CHANGE)
    services.erase(GRACE)
    assert LogEntry.objects.filter(object_repr=alike).exists()


def test_papers_lie_beside_the_data() -> None:
    held, order = services.Held(), Order(pk=7)
    order.tracking = b"%PDF"  # type: ignore[assignment]
    assert held.value(order, "tracking") == "orders.order-7.tracking"
    assert held.files == {"orders.order-7.tracking": b"%PDF"}


def test_messages_about_many_payments_are_found(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    found = services.messages_about(services.orders_of(GRACE)).count()
    monkeypatch.setattr(services, "AT_ONCE", 1)
    assert services.messages_about(services.orders_of(GRACE)).count() == found == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_orders_at_this_moment_is_not_erased(committed: None) -> None:
    method, grace, placed = make_ways(), make_person(GRACE), threading.Event()
    basket = Basket.objects.create(user=grace)
    baskets.add(basket=basket, variant=make_variant(), quantity=1)
    total, customer = total_of(basket, method), Customer(email=GRACE, address=WHERE, user=grace)

    def act(number: int) -> str:
        if number:
            with transaction.atomic():
                orders.place(basket=basket, customer=customer, method=method, expected=total)
                placed.set()
                threading.Event().wait(0.7)  # the other one looks for orders meanwhile
            return "placed"
        placed.wait()
        try:
            services.erase(GRACE)
        except NotYetError:
            return "waited"
        return "erased"

    assert together(act, 2) == ["waited", "placed"]


def test_one_that_was_paid_in_this_moment_is_not_forgotten(grace: User) -> None:
    order = place({make_variant(): 1}, Customer(email=GRACE, address=WHERE, user=grace))
    payment = payments.start(order)
    Order.objects.filter(pk=order.pk).update(reserved_until=timezone.now() - timedelta(minutes=1))
    orders.expire_unpaid()
    FakeProvider().pay(payment.reference, "works")  # and the message is on its way
    with pytest.raises(NotYetError, match=order.number):
        services.erase(GRACE)
    order.refresh_from_db()
    assert (order.status, order.email) == (Status.PAID, GRACE)


def test_a_message_that_is_not_read_yet_is_not_deleted(grace: User) -> None:
    event = WebhookEvent.objects.first()
    assert event
    WebhookEvent.objects.filter(pk=event.pk).update(processed_at=None)
    with pytest.raises(NotYetError, match="is not read yet"):
        services.erase(GRACE)
    assert WebhookEvent.objects.filter(pk=event.pk).exists()


def test_of_a_guest_nothing_is_left_either(method: object) -> None:
    order = paid(email="guest@example.org")
    orders.ship(order, tracking="", by=None)
    client = Client()
    session = client.session
    session["checkout_address"] = {"email": "Guest@example.org", "name": WHERE.name}
    session.save()
    held, _ = opened(services.everything("guest@example.org"))
    assert held["sessions"] == [{"checkout_address": {"email": "Guest@example.org", "name": "Grace Hopper"}}]
    services.erase("guest@example.org")
    assert left_of(("guest@", "Hopper", "Weimar")) == []


def test_a_refund_on_its_way_must_arrive_first(grace: User) -> None:
    payment = Order.objects.filter(user=grace).get().payments.get()
    payments.refund(payment=payment, amount=payment.left, reason="x", by=None)  # before its commit nobody has done it
    with pytest.raises(NotYetError, match="Not finished yet"):
        services.erase(GRACE)


def test_who_works_here_is_not_erased(grace: User) -> None:
    User.objects.filter(pk=grace.pk).update(is_staff=True)
    with pytest.raises(NotYetError, match="You work here"):
        services.erase(GRACE)


def signed_in_now(email: str = GRACE) -> Client:
    client = Client()
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    answer = client.post("/account/reauthenticate/?next=/account/data/", {"password": PASSWORD})
    assert answer.headers["Location"] == "/account/data/"
    return client


def test_a_customer_downloads_and_erases(grace: User) -> None:
    client = signed_in_now()
    assert "/account/data/" in client.get("/orders/").content.decode()
    answer = client.post("/account/data/")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "private" in answer.headers["Cache-Control"]
    assert len(opened(answer.content)[0]["orders.order"]) == 2
    page = client.post("/account/data/erase/", {"email": "wrong@example.org"}, follow=True).content.decode()
    assert "Nothing was erased." in page
    page = client.post("/account/data/erase/", {"email": GRACE.upper()}, follow=True).content.decode()
    assert "Your account is gone" in page
    assert left_of(OF_HER) == []
    assert client.get("/account/data/").status_code == 302


def test_nobody_downloads_all_day(grace: User, counted: None) -> None:
    client = signed_in_now()
    types = [client.post("/account/data/").headers["Content-Type"] for _ in range(6)]
    assert [each == "application/zip" for each in types] == [True] * 5 + [False]


def test_what_cannot_be_erased_yet_is_said(grace: User) -> None:
    place({make_variant(): 1}, Customer(email=GRACE, address=WHERE, user=grace))
    page = signed_in_now().post("/account/data/erase/", {"email": GRACE}, follow=True).content.decode()
    assert "Not finished yet" in page


def test_nobody_gets_there_without_the_password(client: Client, grace: User) -> None:
    assert client.get("/account/data/").headers["Location"].startswith("/account/login/")
    client.force_login(grace)  # a session that somebody has left open
    for path in ("/account/data/", "/account/data/erase/"):
        assert client.post(path, {"email": GRACE}).headers["Location"].startswith("/account/reauthenticate/"), path
    assert User.objects.filter(pk=grace.pk).exists()


def test_by_hand(grace: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "grace.zip"
    call_command("export_person", GRACE, file)
    assert len(opened(file.read_bytes())[0]["orders.order"]) == 2
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("export_person", GRACE, file)
    with pytest.raises(CommandError, match=r"Nothing is held about nobody@example\.org"):
        call_command("export_person", "nobody@example.org", tmp_path / "x.zip")
    call_command("erase_person", GRACE)
    assert "has an account and 2 orders. Erase them by --yes." in capsys.readouterr().out
    assert left_of(OF_HER)
    call_command("erase_person", GRACE, "--yes")
    assert "Erased: an account, 2 orders." in capsys.readouterr().out
    assert left_of(OF_HER) == []
    place({make_variant(): 1}, Customer(email=GRACE, address=WHERE))
    with pytest.raises(CommandError, match="Not finished yet"):
        call_command("erase_person", GRACE, "--yes")


def test_an_address_that_only_looks_alike_is_somebody_elses(method: object) -> None:
    User.objects.create_user("\N{LATIN SMALL LETTER DOTLESS I}rma@example.org", PASSWORD)
    assert services.account_of("irma@example.org") is None
