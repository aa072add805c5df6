"""The desk: who may do what, and what is written down of it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client

from accounts.models import User
from catalogue.models import Category, Product, Variant
from orders import services as orders
from orders.models import Kind, Order
from orders.states import Status
from payments import services as payments
from payments.models import Payment
from payments.providers.fake import FakeProvider
from stock.models import Level, Movement
from tests.conftest import Commits, Staff
from tests.shelf import make_variant, place

pytestmark = pytest.mark.django_db
ROLES = ("Catalogue", "Fulfilment", "Finance", "Support")


@pytest.fixture
def paid(variant: Variant) -> Order:
    order = place({variant: 2})
    payment = payments.start(order)
    FakeProvider().pay(payment.reference, "works")
    payments.look(payment)
    order.refresh_from_db()
    return order


def test_visitors_and_customers_have_no_desk(client: Client, signed_in: Client) -> None:
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin/login/")["Location"].startswith("/account/login/")
    assert signed_in.get("/admin/").status_code == 302
    assert signed_in.get("/admin/login/").status_code == 403


MATRIX: dict[str, set[str]] = {
    "/admin/": {*ROLES},
    "/admin/catalogue/product/": {"Catalogue"},
    "/admin/catalogue/product/add/": {"Catalogue"},
    "/admin/catalogue/category/add/": {"Catalogue"},
    "/admin/stock/level/": {"Catalogue", "Fulfilment"},
    "/admin/stock/level/{variant}/change/": {"Catalogue", "Fulfilment"},
    "/admin/stock/level/{variant}/correct/": {"Catalogue", "Fulfilment"},
    "/admin/stock/movement/": {"Catalogue", "Fulfilment"},
    "/admin/stock/movement/add/": set(),
    "/admin/orders/order/": {"Fulfilment", "Finance", "Support"},
    "/admin/orders/order/{order}/change/": {"Fulfilment", "Finance", "Support"},
    "/admin/orders/order/{order}/delete/": set(),
    "/admin/orders/order/{order}/ship/": {"Fulfilment"},
    "/admin/orders/order/{order}/take-back/": {"Fulfilment"},
    "/admin/orders/order/{order}/cancel/": {"Finance"},
    "/admin/orders/order/{pending}/cancel/": {"Finance", "Support"},
    "/admin/orders/order/{order}/refund/": {"Finance"},
    "/admin/orders/order/{order}/capture/": {"Finance"},
    "/admin/orders/taxrate/add/": {"Finance"},
    "/admin/orders/shippingmethod/add/": {"Finance"},
    "/admin/payments/payment/": {"Finance", "Support"},
    "/admin/payments/webhookevent/": {"Finance"},
    "/admin/payments/payment/add/": set(),
    "/admin/accounts/user/": {"Support"},
    "/admin/accounts/user/add/": set(),
    "/admin/auth/group/": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_it_is_for_and_no_more(staff: Staff, paid: Order, variant: Variant, role: str) -> None:
    client, pending = staff(role), place({variant: 1})
    may = {
        address
        for address in MATRIX
        if client.get(address.format(order=paid.pk, pending=pending.pk, variant=variant.pk)).status_code == 200
    }
    assert may == {address for address, roles in MATRIX.items() if role in roles}


def test_who_may_not_cannot_by_posting_either(staff: Staff, paid: Order, variant: Variant) -> None:
    packer, support = staff("Fulfilment"), staff("Support")
    order = f"/admin/orders/order/{paid.pk}"
    assert packer.post(f"{order}/refund/", {"amount": "1", "reason": "x"}).status_code == 403
    assert packer.post(f"{order}/cancel/", {"reason": "x"}).status_code == 403
    assert support.post(f"{order}/ship/", {}).status_code == 403
    assert support.post(f"{order}/cancel/", {"reason": "x"}).status_code == 403
    assert (
        support.post(f"/admin/stock/level/{variant.pk}/correct/", {"delta": 1, "reason": "received"}).status_code == 403
    )
    assert packer.post(f"{order}/change/", {"status": "shipped"}).status_code == 403
    assert Order.objects.get().status == Status.PAID


def test_nobody_makes_themselves_or_somebody_else_more_than_they_are(staff: Staff) -> None:
    support = staff("Support")
    staff("Catalogue")
    Group.objects.get(name="Support").permissions.add(Permission.objects.get(codename="change_user"))
    for name in ("support", "catalogue"):
        somebody = User.objects.get(email=f"{name}@example.org")
        more = {"email": "mine@example.org", "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": ["3"]}
        support.post(f"/admin/accounts/user/{somebody.pk}/change/", more)
        somebody.refresh_from_db()
        assert (somebody.is_superuser, somebody.email) == (False, f"{name}@example.org")
        assert [group.name for group in somebody.groups.all()] == [name.capitalize()]


def test_a_packer_ships_and_takes_back(staff: Staff, paid: Order, variant: Variant, commits: Commits) -> None:
    packer, order = staff("Fulfilment"), f"/admin/orders/order/{paid.pk}"
    page = packer.get(f"{order}/change/").content.decode()
    assert "Harbour Road 1" in page
    with commits():
        answer = packer.post(f"{order}/ship/", {"tracking": "1Z999"}, follow=True)
    assert "is on its way, and the customer hears of it." in answer.content.decode()
    assert "1Z999" in mail.outbox[-1].body
    line = paid.lines.get()
    answer = packer.post(f"{order}/take-back/", {f"line{line.pk}": 3, "again": "on"})
    assert answer.status_code == 422
    packer.post(f"{order}/take-back/", {f"line{line.pk}": 1, "again": "on"})
    events = [(event.kind, getattr(event.by, "email", None)) for event in paid.events.all()]
    assert events[-2:] == [(Kind.SHIPPED, "fulfilment@example.org"), (Kind.RETURNED, "fulfilment@example.org")]
    assert Level.objects.get().available == 9


def test_what_the_rules_refuse_is_said_in_the_form(staff: Staff, paid: Order) -> None:
    packer, order = staff("Fulfilment"), f"/admin/orders/order/{paid.pk}"
    orders.ship(paid, tracking="", by=None)
    answer = packer.post(f"{order}/ship/", {"tracking": "2"})
    assert answer.status_code == 422
    assert "it cannot become on its way" in answer.content.decode()


def test_finance_gives_money_back_with_a_reason(staff: Staff, paid: Order, commits: Commits) -> None:
    finance, order = staff("Finance"), f"/admin/orders/order/{paid.pk}"
    page = finance.get(f"{order}/refund/").content.decode()
    assert re.search(r'name="amount" value="24.90', page)
    for wrong in ({"amount": "25", "reason": "x"}, {"amount": "0", "reason": "x"}, {"amount": "5", "reason": ""}):
        assert finance.post(f"{order}/refund/", wrong).status_code == 422
    with commits():
        finance.post(f"{order}/refund/", {"amount": "5.00", "reason": "A scratch."})
    payment = Payment.objects.get()
    refund = payment.refunds.get()
    assert (payment.refunded, refund.reason, str(refund.by)) == (Decimal(5), "A scratch.", "finance@example.org")
    with commits():
        finance.post(f"{order}/cancel/", {"reason": "Lost."})
    payment.refresh_from_db()
    assert payment.left.amount == 0
    assert Order.objects.get().status == Status.CANCELLED


@pytest.mark.parametrize("number", ["abc", "0", "99999999999999999999", "1'--"])
def test_what_is_not_there_is_not_found(staff: Staff, number: str) -> None:
    client = staff("Fulfilment")
    for address in (f"/admin/orders/order/{number}/ship/", f"/admin/stock/level/{number}/correct/"):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404


def test_who_clicks_twice_has_done_it_once(staff: Staff, paid: Order, variant: Variant) -> None:
    finance, packer = staff("Finance"), staff("Fulfilment")
    for _ in range(2):
        answer = finance.post(
            f"/admin/orders/order/{paid.pk}/refund/", {"amount": "5", "reason": "x", "once": "a"}, follow=True
        )
        packer.post(f"/admin/stock/level/{variant.pk}/correct/", {"delta": "1", "reason": "received", "once": "b"})
    assert "That was asked for already." in answer.content.decode()
    assert Payment.objects.get().refunded == 5
    assert Level.objects.get().available == 9


def test_what_broke_can_be_asked_for_again(
    staff: Staff, paid: Order, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance, refund = staff("Finance"), f"/admin/orders/order/{paid.pk}/refund/"
    typed = {"amount": "5.00", "reason": "A scratch.", "once": "one"}

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr("orders.admin.payments.refund", breaks)
        with pytest.raises(RuntimeError):
            finance.post(refund, typed)
    with commits():
        assert "go back" in finance.post(refund, typed, follow=True).content.decode()
    assert Payment.objects.get().refunded == 5


def test_the_desk_never_writes_a_number_of_the_stock(variant: Variant, rf: Any) -> None:
    stale = Level.objects.get()
    place({variant: 4})
    stale.low = 1
    site._registry[Level].save_model(rf.post("/"), stale, None, change=True)  # noqa: SLF001
    assert list(Level.objects.values_list("available", "low")) == [(6, 1)]


def test_nothing_was_received_nothing_is_given_back(staff: Staff, variant: Variant) -> None:
    finance, order = staff("Finance"), place({variant: 1})
    for what, filled in (("refund", {"amount": "1", "reason": "x"}), ("capture", {})):
        answer = finance.post(f"/admin/orders/order/{order.pk}/{what}/", filled)
        assert answer.status_code == 422, what


def test_what_is_held_is_captured(staff: Staff, variant: Variant, settings: Any) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    order = place({variant: 1})
    payment = payments.start(order)
    FakeProvider().pay(payment.reference, "works")
    payments.look(payment)
    staff("Finance").post(f"/admin/orders/order/{order.pk}/capture/")
    assert Payment.objects.get().captured == order.total


def test_the_stock_is_corrected_with_a_reason(staff: Staff, variant: Variant) -> None:
    client, level = staff("Catalogue"), f"/admin/stock/level/{variant.pk}"
    for wrong in ("0", "-11", "x", "100001"):
        answer = client.post(f"{level}/correct/", {"delta": wrong, "reason": "counted"})
        assert answer.status_code == 422, wrong
    assert client.post(f"{level}/correct/", {"delta": "1", "reason": "sold"}).status_code == 422
    client.post(f"{level}/correct/", {"delta": "-3", "reason": "damaged", "reference": "D1"})
    movement = Movement.objects.first()
    assert movement is not None
    assert (movement.delta, movement.reason, movement.reference, str(movement.by)) == (
        -3, "damaged", "D1", "catalogue@example.org",
    )  # fmt: skip
    client.post(f"{level}/change/", {"available": "999", "low": "2"})
    assert list(Level.objects.values_list("available", "low")) == [(7, 2)]


def test_a_product_is_put_on_the_shelf(staff: Staff, db: None) -> None:
    client, shelf = staff("Catalogue"), Category.objects.create(name="Cups", slug="cups")
    filled = {
        "name": "Moor cup", "slug": "moor-cup", "category": shelf.pk, "tax_class": "standard", "live": "on",
        "variants-TOTAL_FORMS": 1, "variants-INITIAL_FORMS": 0, "variants-0-sku": "MOOR-1", "variants-0-price": "14.90",
        "variants-0-position": 0, "variants-0-live": "on", "images-TOTAL_FORMS": 0, "images-INITIAL_FORMS": 0,
    }  # fmt: skip
    answer = client.post("/admin/catalogue/product/add/", filled | {"variants-0-price": "14.905"})
    assert "too many digits" in answer.content.decode()
    assert client.post("/admin/catalogue/product/add/", filled).status_code == 302
    product = Product.objects.get()
    assert (product.lowest_price, product.variants.get().level.available) == (Decimal("14.9"), 0)


def test_what_was_in_stock_is_not_deleted(staff: Staff, variant: Variant) -> None:
    client, never = staff("Catalogue"), make_variant(stock_of=0)
    for gone, status in ((variant.product, 403), (never.product, 200)):
        assert client.get(f"/admin/catalogue/product/{gone.pk}/delete/").status_code == status


def test_the_first_page_says_what_waits(staff: Staff, paid: Order) -> None:
    page = staff("Fulfilment").get("/admin/").content.decode()
    assert re.search(r"<dt>to ship</dt>\s*<dd[^>]*>1</dd>", page)
    assert "<dt>to ship</dt>" not in staff("Catalogue").get("/admin/").content.decode()


def test_the_desk_has_a_policy_of_its_own(staff: Staff, client: Client) -> None:
    assert "'unsafe-eval'" in staff("Support").get("/admin/")["Content-Security-Policy"]
    assert "unsafe" not in client.get("/")["Content-Security-Policy"]
