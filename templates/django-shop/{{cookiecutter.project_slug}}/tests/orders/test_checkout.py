"""The way to an order, page by page."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from catalogue.models import Variant
from orders import views
from orders.models import Order, ShippingMethod
from orders.services import Customer
from orders.states import Status
from stock.models import Level
from tests.conftest import Commits, make_person
from tests.shelf import ADDRESS, make_variant, place

pytestmark = pytest.mark.django_db
TYPED = {"email": "ada@example.org", "name": ADDRESS.name, "street": ADDRESS.street} | {
    "postcode": ADDRESS.postcode, "city": ADDRESS.city, "country": "DE",
}  # fmt: skip


def total(client: Client) -> str:
    """What the last look asks for, in cents."""
    page = client.get("/checkout/review/").content.decode()
    return re.search(r'name="total" value="(\d+)"', page)[1]  # type: ignore[index]


def walk(client: Client, variant: Variant, quantity: int = 1) -> None:
    """Up to the last look."""
    client.post("/basket/add/", {"variant": variant.pk, "quantity": quantity})
    assert client.post("/checkout/", TYPED)["Location"] == "/checkout/shipping/"
    method = ShippingMethod.objects.get().pk
    assert client.post("/checkout/shipping/", {"method": method})["Location"] == "/checkout/review/"


def test_somebody_without_an_account_orders_and_pays(client: Client, variant: Variant, commits: Commits) -> None:
    walk(client, variant, 2)
    page = client.get("/checkout/review/").content.decode()
    assert "Order and pay €24.90" in page
    assert "€3.97" in page, "the tax"
    answer = client.post("/checkout/place/", {"total": total(client)})
    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.token}/pay/"
    page = client.get(answer["Location"]).content.decode()
    action = re.search(r'action="(/payments/fake/[^"]+)"', page)[1]  # type: ignore[index]
    with commits():
        answer = client.post(action, {"card": "works"}, follow=True)
    assert "It is paid, and we pack it." in answer.content.decode()
    assert [message.subject.split()[-1] for message in mail.outbox] == ["paid"]
    assert client.get(f"/orders/{order.token}/pay/")["Location"] == order.get_absolute_url()


def test_a_bank_that_asks_and_a_card_that_is_refused(client: Client, variant: Variant) -> None:
    walk(client, variant)
    client.post("/checkout/place/", {"total": total(client)})
    order = Order.objects.get()
    client.get(f"/orders/{order.token}/pay/")
    action = f"/payments/fake/{order.payments.get().reference}/"
    answer = client.post(action, {"card": "declined"}, follow=True)
    assert "Your card was declined." in answer.content.decode()
    assert Order.objects.get().status == Status.PENDING
    assert client.post(action, {"card": "nonsense"})["Location"] == f"/orders/{order.token}/pay/"
    assert "Do you want to pay" in client.post(action, {"card": "asks"}).content.decode()
    client.post(action, {"card": "declined"})
    client.post(action, {"card": "asks"})
    client.post(action, {"card": "works"})
    assert Order.objects.get().status == Status.PAID
    assert [event.kind for event in order.events.all()] == ["placed", "declined", "declined", "paid"]


@pytest.mark.parametrize("address", ["/checkout/", "/checkout/shipping/", "/checkout/review/"])
def test_without_a_basket_there_is_nothing_to_check_out(client: Client, address: str) -> None:
    assert client.get(address).status_code == 302
    assert client.post("/checkout/place/", {"total": "1"}).status_code == 302


def test_no_step_is_left_out(client: Client, variant: Variant) -> None:
    client.post("/basket/add/", {"variant": variant.pk})
    assert client.get("/checkout/shipping/")["Location"] == "/checkout/"
    assert client.get("/checkout/review/")["Location"] == "/checkout/"
    client.post("/checkout/", TYPED)
    assert client.get("/checkout/review/")["Location"] == "/checkout/shipping/"
    client.post("/checkout/place/", {"total": "1490"})
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("name", ""), ("postcode", "!"), ("country", "XX"), ("city", "x" * 81), ("street", "a\x00b")],
)
def test_what_is_wrong_in_an_address_is_marked(client: Client, variant: Variant, field: str, value: str) -> None:
    client.post("/basket/add/", {"variant": variant.pk})
    answer = client.post("/checkout/", TYPED | {field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in page
    assert "Something is missing" in page


def test_an_address_that_no_mail_server_takes_is_refused(client: Client, variant: Variant) -> None:
    client.post("/basket/add/", {"variant": variant.pk})
    answer = client.post("/checkout/", TYPED | {"email": "\N{LATIN SMALL LETTER LONG S}@example.org"})
    assert answer.status_code == 422
    assert "Before the @ there are only letters" in answer.content.decode()


def test_what_nobody_carries_there_is_said(client: Client, variant: Variant) -> None:
    client.post("/basket/add/", {"variant": variant.pk})
    client.post("/checkout/", TYPED | {"country": "FR"})
    page = client.get("/checkout/shipping/").content.decode()
    assert "We do not send anything there." in page
    answer = client.post("/checkout/shipping/", {"method": ShippingMethod.objects.get().pk})
    assert answer.status_code == 422


@pytest.mark.parametrize("wrong", ["1", "", "-1490", "x", "1490.0", "²", "1" * 30, "1" * 5000])
def test_a_total_of_ones_own_orders_nothing(client: Client, variant: Variant, wrong: str) -> None:
    walk(client, variant)
    answer = client.post("/checkout/place/", {"total": wrong})
    assert answer.status_code == 409
    assert "The total has changed" in answer.content.decode()
    assert (Order.objects.count(), Level.objects.get().available) == (0, 10)


def test_a_price_that_rises_during_the_last_look_is_shown_again(client: Client, variant: Variant) -> None:
    walk(client, variant)
    shown = total(client)
    Variant.objects.update(price=12)
    answer = client.post("/checkout/place/", {"total": shown})
    assert "Order and pay €16.90" in answer.content.decode()
    assert client.post("/checkout/place/", {"total": "1690"}).status_code == 302
    assert Order.objects.get().total * 100 == 1690


def test_who_was_slower_is_told_so(client: Client, variant: Variant) -> None:
    walk(client, variant, 8)
    shown = total(client)
    place({variant: 5})
    answer = client.post("/checkout/place/", {"total": shown}, follow=True)
    page = answer.content.decode()
    assert "Somebody was faster" in page
    assert "Only 5 are left." in page
    assert Order.objects.count() == 1


def test_who_clicks_twice_comes_to_the_one_order(client: Client, variant: Variant) -> None:
    walk(client, variant)
    shown = total(client)
    client.post("/checkout/place/", {"total": shown})
    answer = client.post("/checkout/place/", {"total": shown})
    assert answer["Location"] == Order.objects.get().get_absolute_url()


def test_many_orders_from_one_place_wait(client: Client, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_IN_TEN_MINUTES", 1)
    monkeypatch.setattr("config.limits.time.time", lambda: 1_800_000_000)
    for _ in range(2):
        walk(client, variant)
        answer = client.post("/checkout/place/", {"total": total(client)})
    assert "Please wait ten minutes." in answer.content.decode()
    assert Order.objects.count() == 1


def test_an_order_is_seen_by_who_has_its_address(client: Client, variant: Variant) -> None:
    order = place({variant: 1})
    assert order.number in client.get(order.get_absolute_url()).content.decode()
    for wrong in (order.token[:-1], order.number, order.token.swapcase(), "x"):
        assert client.get(f"/orders/{wrong}/").status_code == 404
    answer = client.get(order.get_absolute_url())
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_orders_of_an_account_are_its_own_and_those_of_its_address_before(
    signed_in: Client, ada: User, variant: Variant
) -> None:
    theirs = make_person("grace@example.org")
    mine = place({variant: 1}, Customer("x@example.org", ADDRESS, ada))
    before = place({variant: 1}, Customer("Ada@example.org", ADDRESS))
    other = place({variant: 1}, Customer("ada@example.org", ADDRESS, theirs))
    page = signed_in.get("/orders/").content.decode()
    assert mine.number in page
    assert before.number in page
    assert other.number not in page
    assert Client().get("/orders/")["Location"].startswith("/account/login/")


def test_the_last_address_is_there_already(signed_in: Client, ada: User, variant: Variant) -> None:
    place({variant: 1}, Customer(ada.email, ADDRESS, ada))
    signed_in.post("/basket/add/", {"variant": variant.pk})
    assert 'value="Harbour Road 1"' in signed_in.get("/checkout/").content.decode()


def test_a_customer_cancels_what_is_not_paid(client: Client, variant: Variant, commits: Commits) -> None:
    order = place({variant: 1})
    client.get(f"/orders/{order.token}/pay/")
    with commits():
        client.post(f"/orders/{order.token}/cancel/")
    order.refresh_from_db()
    assert (order.status, Level.objects.get().available) == (Status.CANCELLED, 10)
    Order.objects.update(status=Status.PAID)
    page = client.post(f"/orders/{order.token}/cancel/", follow=True).content.decode()
    assert "It is paid: write to us" in page
    assert Order.objects.get().status == Status.PAID


@pytest.mark.parametrize("lines", [1, 20])
def test_the_checkout_costs_the_same_for_many_lines(
    client: Client, method: ShippingMethod, lines: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(lines):
        walk(client, make_variant())
    for address in ("/checkout/", "/checkout/shipping/", "/checkout/review/"):
        with django_assert_max_num_queries(8):
            client.get(address)


@pytest.mark.parametrize(("included", "shown"), [(True, "€14.90"), (False, "€17.73")])
def test_tax_in_the_price_or_added_is_in_the_total(
    client: Client, variant: Variant, settings: Settings, included: bool, shown: str
) -> None:
    settings.PRICES_INCLUDE_TAX = included
    walk(client, variant)
    assert f"Order and pay {shown}" in client.get("/checkout/review/").content.decode()
