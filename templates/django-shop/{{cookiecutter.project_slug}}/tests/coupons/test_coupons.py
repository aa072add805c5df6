"""Coupons: who may use which, how often, and what comes back."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from basket import services as baskets
from basket.models import Basket
from catalogue.models import Variant
from config.money import Money
from coupons import services
from coupons.errors import CouponError
from coupons.models import Chosen, Coupon, Redemption
from orders import services as orders
from orders.errors import OrderError, TotalChangedError
from orders.models import Order, ShippingMethod
from orders.services import Customer
from stock.services import differences
from tests.shelf import ADDRESS, CUSTOMER, fill, make_variant, make_ways, total_of
from tests.together import together

pytestmark = pytest.mark.django_db
type Staff = Callable[[str], Client]


def make_coupon(code: str = "SPRING", **fields: Any) -> Coupon:
    return Coupon.objects.create(code=code, **({"amount": Decimal(5)} | fields))


def with_coupon(variant: Variant, code: str = "SPRING", quantity: int = 1) -> Basket:
    basket = fill({variant: quantity})
    services.choose(basket=basket, code=code, goods=Money(variant.price * quantity, "EUR"))
    return basket


def order(basket: Basket, method: ShippingMethod, customer: Customer = CUSTOMER) -> Order:
    return orders.place(basket=basket, customer=customer, method=method, expected=total_of(basket, method))


def used(code: str = "SPRING") -> tuple[int, int]:
    """As it is counted, and as it is written down."""
    return Coupon.objects.get(code=code).used, Redemption.objects.filter(coupon__code=code, held=True).count()


def test_a_coupon_lowers_what_is_paid_and_its_tax(variant: Variant, method: ShippingMethod) -> None:
    make_coupon(percent=Decimal("12.5"), amount=None)
    made = order(with_coupon(variant, " spring ", 3), method)
    assert (made.goods, made.discount, made.total) == (Decimal(30), Decimal("3.75"), Decimal("31.15"))
    assert made.discount_name == "Coupon SPRING"
    assert made.tax == Decimal("4.97"), "4.79 of the things and 0.78 of the parcel, less 0.60"
    assert used() == (1, 1)
    assert not Chosen.objects.exists(), "the next order is one without"


def test_no_coupon_gives_money(variant: Variant, method: ShippingMethod) -> None:
    make_coupon(amount=Decimal(500))
    made = order(with_coupon(variant), method)
    assert (made.discount, made.total) == (made.goods, made.shipping)


@pytest.mark.parametrize(
    "fields",
    [
        {"live": False},
        {"begins": timezone.now() + timedelta(hours=1)},
        {"ends": timezone.now() - timedelta(hours=1), "begins": timezone.now() - timedelta(hours=2)},
        {"most": 3, "used": 3},
        {"code": "OTHER"},
    ],
)
def test_what_cannot_be_used_is_as_if_it_were_not_there(
    variant: Variant, method: ShippingMethod, fields: dict[str, Any]
) -> None:
    make_coupon(**fields)
    with pytest.raises(CouponError, match="There is no such coupon"):
        with_coupon(variant)


def test_a_coupon_for_larger_baskets_says_so(variant: Variant, method: ShippingMethod) -> None:
    make_coupon(from_value=Decimal(20))
    with pytest.raises(CouponError, match=r"SPRING is for €20.00 and more."):
        with_coupon(variant)
    basket = with_coupon(variant, quantity=2)
    shown = total_of(basket, method)
    basket.lines.update(quantity=1)
    assert total_of(basket, method) == Money(Decimal("14.90"), "EUR"), "it does not hold for one"
    with pytest.raises(TotalChangedError):
        orders.place(basket=basket, customer=CUSTOMER, method=method, expected=shown)


def test_one_that_ends_between_the_last_look_and_the_order_changes_the_total(
    variant: Variant, method: ShippingMethod
) -> None:
    make_coupon()
    basket = with_coupon(variant)
    shown = total_of(basket, method)
    Coupon.objects.update(live=False)
    with pytest.raises(TotalChangedError):
        orders.place(basket=basket, customer=CUSTOMER, method=method, expected=shown)
    assert used() == (0, 0)


def test_a_customer_uses_it_once_whatever_the_address_looks_like(variant: Variant, method: ShippingMethod) -> None:
    make_coupon()
    order(with_coupon(variant), method)
    with pytest.raises(OrderError, match="You have used SPRING already"):
        order(with_coupon(variant), method, Customer(email="ADA@example.org", address=ADDRESS))
    order(with_coupon(variant), method, Customer(email="grace@example.org", address=ADDRESS))
    assert used() == (2, 2)
    assert Order.objects.count() == 2
    assert differences() == {}


def test_who_does_not_pay_gives_it_back_and_who_pays_late_takes_it_again(
    variant: Variant, method: ShippingMethod
) -> None:
    make_coupon(most=1)
    made = order(with_coupon(variant), method)
    Order.objects.update(reserved_until=timezone.now() - timedelta(minutes=1))
    assert orders.expire_unpaid() == 1
    assert used() == (0, 0)
    other = order(with_coupon(variant), method, Customer(email="grace@example.org", address=ADDRESS))
    assert used() == (1, 1)
    made.refresh_from_db()
    orders.pay(made)
    assert used() == (2, 2), "promised is promised"
    orders.pay(other)
    assert used() == (2, 2)
    orders.cancel(other)
    assert used() == (1, 1)


def test_who_has_not_paid_may_use_it_again(variant: Variant, method: ShippingMethod) -> None:
    make_coupon(most_each=1)
    orders.cancel(order(with_coupon(variant), method))
    assert order(with_coupon(variant), method).discount == 5
    assert used() == (1, 1)


def test_its_value_is_that_of_the_prices_that_are_shown(
    variant: Variant, method: ShippingMethod, settings: Settings
) -> None:
    settings.PRICES_INCLUDE_TAX = False
    make_coupon(from_value=Decimal(10))
    assert order(with_coupon(variant), method).discount == 5
    Coupon.objects.update(from_value=Decimal("10.01"))
    with pytest.raises(CouponError, match=r"is for €10.01 and more"):
        with_coupon(variant)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("off", [True, False])
def test_it_is_neither_taken_off_nor_exchanged_while_somebody_orders_with_it(committed: None, off: bool) -> None:
    make_ways()
    make_coupon()
    other = make_coupon("OTHER")
    basket = with_coupon(make_variant())
    ordered: list[bool] = []

    def change() -> None:
        if off:
            services.take_off(basket=basket)
        else:
            services.choose(basket=basket, code=other.code, goods=Money(Decimal(10), "EUR"))
        ordered.append(done.is_set())
        connections.close_all()

    done, thread = threading.Event(), threading.Thread(target=change)
    with transaction.atomic():
        baskets.locked(basket)
        thread.start()
        thread.join(0.5)
        assert Chosen.objects.filter(basket=basket, coupon__code="SPRING").exists()
        done.set()
    thread.join()
    assert ordered == [True]


def test_a_customer_with_an_account_uses_it_once_with_whatever_address(
    variant: Variant, method: ShippingMethod, ada: User
) -> None:
    make_coupon()
    order(with_coupon(variant), method, Customer(email="ada+1@example.org", address=ADDRESS, user=ada))
    with pytest.raises(CouponError, match="You have used SPRING already"):
        order(with_coupon(variant), method, Customer(email="ada+2@example.org", address=ADDRESS, user=ada))


@pytest.mark.parametrize("change", [{"code": "AUTUMN"}, {"live": False}])
def test_what_changes_between_the_offer_and_the_order_orders_nothing(
    variant: Variant, method: ShippingMethod, change: dict[str, Any]
) -> None:
    make_coupon()
    basket = with_coupon(variant)
    made = order(fill({variant: 1}), method)
    made.discount_name = "Coupon SPRING"  # as it was offered
    Coupon.objects.update(**change)
    with pytest.raises(CouponError):
        services.redeem(basket, made)
    assert Redemption.objects.count() == 0


def test_it_comes_along_at_sign_in(variant: Variant, method: ShippingMethod, ada: User) -> None:
    make_coupon()
    mine = baskets.merge(token=with_coupon(variant).token, user=ada)
    assert Chosen.objects.get().basket == mine
    assert order(mine, method).discount == 5


def test_what_was_chosen_after_the_offer_is_not_used_up(variant: Variant, method: ShippingMethod) -> None:
    make_coupon()
    made = order(fill({variant: 1}), method)
    services.redeem(with_coupon(variant), made)
    assert used() == (0, 0)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(("most", "most_each", "same"), [(1, None, False), (None, 1, True), (3, None, False)])
def test_of_ten_at_once_no_more_than_allowed_use_it(
    committed: None, most: int | None, most_each: int | None, same: bool
) -> None:
    method, variant = make_ways(), make_variant(stock_of=100)
    make_coupon(most=most, most_each=most_each)
    filled = [with_coupon(variant) for _ in range(10)]
    total = total_of(filled[0], method)

    def buy(number: int) -> str:
        customer = CUSTOMER if same else Customer(email=f"{number}@example.org", address=ADDRESS)
        try:
            orders.place(basket=filled[number], customer=customer, method=method, expected=total)
        except OrderError:
            return "refused"
        return "placed"

    outcomes = together(buy, 10)
    allowed = most or 1
    assert sorted(outcomes) == ["placed"] * allowed + ["refused"] * (10 - allowed)
    assert used() == (allowed, allowed)
    assert Order.objects.filter(discount=5).count() == Order.objects.count() == allowed
    assert differences() == {}


def test_a_coupon_is_percent_or_an_amount(method: object) -> None:
    for fields in ({"percent": Decimal(5)}, {"percent": None, "amount": None}, {"amount": Decimal(0)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_coupon(**fields)
    with pytest.raises(ValidationError, match=r"A-Z, 0-9 and -\."):
        Coupon(code="small", amount=1).full_clean()
    with pytest.raises(ValidationError, match="After it begins"):
        Coupon(code="X", amount=1, ends=timezone.now() - timedelta(days=1)).full_clean()


def test_at_the_last_look_one_types_it_and_takes_it_off(client: Client, variant: Variant) -> None:
    make_coupon()
    assert client.post("/checkout/coupon/", {"code": "SPRING"}).headers["Location"] == "/basket/"
    client.post("/basket/add/", {"variant": variant.pk})
    where = {name: getattr(ADDRESS, name) for name in ("name", "street", "postcode", "city", "country")}
    client.post("/checkout/", {"email": "ada@example.org"} | where)
    client.post("/checkout/shipping/", {"method": ShippingMethod.objects.get().pk})

    def look(**typed: str) -> str:
        return client.post("/checkout/coupon/", typed, follow=True).content.decode()

    assert "There is no such coupon" in look(code="x\x00'; --")
    page = look(code="spring")
    assert "€5.00 off, by SPRING." in page
    assert "−€5.00" in page
    assert "Order and pay €9.90" in page
    assert "Order and pay €14.90" in look(off="off")
    client.post("/checkout/coupon/", {"code": "SPRING"})
    client.post("/checkout/place/", {"total": "990"})
    assert Order.objects.get().total == Decimal("9.90")


def test_codes_are_not_guessed(client: Client, variant: Variant, counted: None) -> None:
    make_coupon()
    client.post("/basket/add/", {"variant": variant.pk})
    for number in range(10):
        client.post("/checkout/coupon/", {"code": f"GUESS-{number}"})
    client.post("/checkout/coupon/", {"code": "SPRING"})
    said = [str(message) for message in client.get("/basket/").context["messages"]]
    assert said[-1] == "Those were many codes. Please wait ten minutes."


def test_finance_makes_coupons_and_nobody_else(staff: Staff) -> None:
    typed = {
        "code": "NEW",
        "amount": "5",
        "from_value": "0",
        "begins_0": "2026-01-01",
        "begins_1": "00:00",
        "live": "on",
    }
    for role in ("Support", "Fulfilment", "Catalogue"):
        other = staff(role)
        assert other.post("/admin/coupons/coupon/add/", typed).status_code == 403, role
        assert other.get("/admin/coupons/redemption/").status_code == 403, role
    finance = staff("Finance")
    assert finance.post("/admin/coupons/coupon/add/", typed).status_code == 302
    coupon = Coupon.objects.get(code="NEW")
    Coupon.objects.update(used=7)
    page = f"/admin/coupons/coupon/{coupon.pk}/"
    assert finance.post(f"{page}change/", typed | {"used": "0", "code": "NEWER"}).status_code == 302
    coupon.refresh_from_db()
    assert (coupon.code, coupon.used) == ("NEWER", 7)
    assert finance.post(f"{page}delete/", {"post": "yes"}).status_code == 403


def test_one_that_hundreds_have_used_can_still_be_switched_off(
    staff: Staff, variant: Variant, method: ShippingMethod, settings: Settings
) -> None:
    coupon = make_coupon(most_each=None)
    made = [order(with_coupon(variant), method) for _ in range(10)]
    finance, page = staff("Finance"), f"/admin/coupons/coupon/{coupon.pk}/change/"
    names = re.findall(r'name="(\w[^"]*)"', finance.get(page).content.decode())
    assert not [name for name in names if "redemption" in name], "a form has a thousand fields at most"
    listed = finance.get("/admin/coupons/redemption/?q=SPRING").content.decode()
    assert all(each.number in listed for each in made)
