"""The basket: what is in it, and what becomes of it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from basket import services
from basket.errors import QuantityError
from basket.models import MOST, Basket, Line
from catalogue.models import Variant
from stock.errors import OutOfStockError
from tests.shelf import PASSWORD, fill, make_variant
from tests.together import together

pytestmark = pytest.mark.django_db
SHOW, ADD = "/basket/", "/basket/add/"


def inside(basket: Basket | None = None) -> dict[int, int]:
    lines = basket.lines.all() if basket else Line.objects.all()
    return dict(lines.values_list("variant", "quantity"))


def test_who_only_looks_gets_no_basket_and_no_cookie(client: Client, variant: Variant) -> None:
    for address in ("/", SHOW, variant.product.get_absolute_url()):
        assert "sessionid" not in client.get(address).cookies
    assert not Basket.objects.exists()


def test_something_is_put_in_changed_and_taken_out(client: Client, variant: Variant) -> None:
    answer = client.post(ADD, {"variant": variant.pk, "quantity": 2}, follow=True)
    assert f"2 × {variant} in your basket." in answer.content.decode()
    client.post(ADD, {"variant": variant.pk})
    assert inside() == {variant.pk: 3}
    client.post(reverse("basket:change", args=[variant.pk]), {"quantity": 5})
    assert inside() == {variant.pk: 5}
    assert "€50.00" in client.get(SHOW).content.decode()
    client.post(reverse("basket:change", args=[variant.pk]), {"quantity": 0})
    assert inside() == {}
    assert "There is nothing in it." in client.get(SHOW).content.decode()


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "x", "", "100", "99999999999999999999", "²"])
def test_a_number_that_nobody_can_want_is_refused(client: Client, variant: Variant, quantity: str) -> None:
    answer = client.post(ADD, {"variant": variant.pk, "quantity": quantity}, follow=True)
    assert "Between 1 and 99, please." in answer.content.decode()
    assert inside() == {}


@pytest.mark.parametrize("number", ["", "x", "-1", "999999", "99999999999999999999"])
def test_what_is_not_there_cannot_be_put_in(client: Client, number: str) -> None:
    assert client.post(ADD, {"variant": number, "quantity": 1}).status_code == 404


def test_no_more_than_there_is(client: Client, variant: Variant) -> None:
    answer = client.post(ADD, {"variant": variant.pk, "quantity": 11}, follow=True)
    assert "there are only 10" in answer.content.decode()
    client.post(ADD, {"variant": variant.pk, "quantity": 9})
    client.post(ADD, {"variant": variant.pk, "quantity": 2})
    assert inside() == {variant.pk: 9}
    answer = client.post(reverse("basket:change", args=[variant.pk]), {"quantity": 11})
    assert (answer.status_code, inside()) == (422, {variant.pk: 9})
    assert "there are only 10" in answer.content.decode()


def test_what_is_not_sold_any_more_is_said_and_can_be_taken_out(client: Client, variant: Variant) -> None:
    client.post(ADD, {"variant": variant.pk})
    Variant.objects.update(live=False)
    page = client.get(SHOW).content.decode()
    assert "It is not sold any more." in page
    assert "To the checkout" not in page
    client.post(reverse("basket:change", args=[variant.pk]), {"quantity": 0})
    assert inside() == {}
    with pytest.raises(OutOfStockError):
        services.add(basket=Basket.objects.get(), variant=Variant.objects.get(), quantity=1)


def test_what_was_deleted_is_not_in_any_basket(client: Client) -> None:
    variant = make_variant(stock_of=0)
    Line.objects.create(basket=Basket.objects.create(), variant=variant, quantity=1, price_seen=1)
    variant.delete()
    assert inside() == {}


def test_another_price_is_said_until_it_was_seen(client: Client, variant: Variant) -> None:
    client.post(ADD, {"variant": variant.pk, "quantity": 2})
    Variant.objects.update(price=12)
    page = client.get(SHOW).content.decode()
    assert "It was €10.00 when you put it in." in page
    assert "€24.00" in page
    client.post("/basket/seen/")
    assert "It was €10.00" not in client.get(SHOW).content.decode()


def test_it_comes_along_at_sign_in_and_never_above_the_stock(client: Client, ada: User, variant: Variant) -> None:
    other = make_variant()
    mine = Basket.objects.create(user=ada)
    services.add(basket=mine, variant=variant, quantity=7)
    client.post(ADD, {"variant": variant.pk, "quantity": 6})
    client.post(ADD, {"variant": other.pk, "quantity": 2})
    session = client.session.session_key
    client.post("/account/login/", {"login": ada.email, "password": PASSWORD})
    assert client.session.session_key != session
    assert inside(mine) == {variant.pk: 10, other.pk: 2}
    assert Basket.objects.count() == 1
    assert '<span id="count" class="count">12</span>' in client.get("/").content.decode()


def test_what_sold_out_meanwhile_does_not_come_along(ada: User, variant: Variant) -> None:
    before = fill({variant: 1})
    Variant.objects.update(live=False)
    assert inside(services.merge(token=before.token, user=ada)) == {}


def test_nobody_gets_the_basket_of_somebody_else(client: Client, ada: User, variant: Variant) -> None:
    theirs = Basket.objects.create(user=ada)
    services.add(basket=theirs, variant=variant, quantity=1)
    session = client.session
    session["basket"] = theirs.token
    session.save()
    assert "There is nothing in it." in client.get(SHOW).content.decode()
    other = User.objects.create_user("grace@example.org", PASSWORD)
    services.merge(token=theirs.token, user=other)
    assert inside(theirs) == {variant.pk: 1}


@pytest.mark.parametrize("lines", [1, 20])
def test_its_page_costs_the_same_for_many_lines(
    client: Client, lines: int, django_assert_max_num_queries: object
) -> None:
    for _ in range(lines):
        client.post(ADD, {"variant": make_variant().pk})
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        client.get(SHOW)


def test_a_part_is_sent_to_who_has_the_rest(client: Client, variant: Variant) -> None:
    client.post(ADD, {"variant": variant.pk})
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    page = client.post(reverse("basket:change", args=[variant.pk]), {"quantity": 3}, headers=headers).content.decode()
    assert page.strip().startswith('<div id="lines"')
    assert "€30.00" in page
    assert "<html" not in page


def test_old_ones_of_nobody_are_forgotten(ada: User, variant: Variant) -> None:
    fill({variant: 1})
    Basket.objects.create(user=ada)
    Basket.objects.update(changed_at="2020-01-01T00:00Z")
    services.forget_old()
    assert [basket.user for basket in Basket.objects.all()] == [ada]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_ten_clicks_at_once_each_counts(committed: None) -> None:
    variant, basket = make_variant(stock_of=20), Basket.objects.create()
    together(lambda _: services.add(basket=basket, variant=variant, quantity=1), 10)
    assert inside(basket) == {variant.pk: 10}


def test_too_many_are_not_even_written_down(variant: Variant) -> None:
    with pytest.raises(QuantityError):
        services.add(basket=Basket.objects.create(), variant=variant, quantity=MOST + 1)
