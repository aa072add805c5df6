"""The admin: what staff look at, and what they do."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from audit.models import Entry
from reservations.models import Reservation
from stock.models import Movement, Product
from tests.callers import Caller


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada@example.org", "x"))
    return client


@pytest.fixture
def shelf(ada: Caller) -> int:
    """A product with a movement and a reservation."""
    product = ada.product(on_hand=5, sku="TEA")
    ada.holds(product, 2)
    return product


LISTS = ["stock/product", "stock/movement", "reservations/reservation", "audit/entry", "accounts/user", "auth/group"]


@pytest.mark.parametrize("name", LISTS)
def test_staff_see_what_they_may(admin: Client, shelf: int, name: str) -> None:
    path = f"/admin/{name}/"
    assert admin.get(f"{path}?q=ada").status_code == 200
    assert Client().get(path).status_code == 302
    nobody = Client()
    nobody.force_login(User.objects.create_user("grace@example.org", "x", is_staff=True))
    assert nobody.get(path).status_code == 403


@pytest.mark.parametrize("model", [Movement, Reservation, Entry])
def test_what_has_happened_is_looked_at_only(admin: Client, shelf: int, model: type[Movement]) -> None:
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    one = f"{path}{model.objects.latest('pk').pk}/"
    assert admin.get(f"{one}change/").status_code == 200
    assert admin.post(f"{one}change/", {"note": "x", "quantity": 9}).status_code == 403
    assert admin.get(f"{path}add/").status_code == 403
    assert admin.post(f"{one}delete/", {"post": "yes"}).status_code == 403


def test_products_are_made_and_changed_by_the_same_rules(admin: Client) -> None:
    form = {"sku": "CUP", "name": "A cup"}
    assert admin.post("/admin/stock/product/add/", form).status_code == 302
    product = Product.objects.get()
    path = f"/admin/stock/product/{product.pk}/"
    assert admin.post(f"{path}change/", form | {"name": "A mug", "on_hand": 99}).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.on_hand) == ("A mug", 0)
    assert admin.post("/admin/stock/product/add/", form).status_code == 200, "the SKU is taken"
    assert admin.post(f"{path}delete/", {"post": "yes"}).status_code == 302
    assert not Product.objects.exists()
    seen = [*Entry.objects.order_by("pk").values_list("principal", "action")]
    actions = ("create product", "change product", "delete product")
    assert seen == [("staff ada@example.org", action) for action in actions]


def test_a_product_with_a_past_stays(admin: Client, shelf: int) -> None:
    admin.post(f"/admin/stock/product/{shelf}/delete/", {"post": "yes"})
    admin.post("/admin/stock/product/", {"action": "delete_selected", "_selected_action": shelf, "post": "yes"})
    assert Product.objects.filter(pk=shelf).exists()


@pytest.mark.django_db(transaction=True)
def test_staff_cancel_for_somebody(admin: Client, shelf: int) -> None:
    reservation = Reservation.objects.get()
    path = f"/admin/reservations/reservation/{reservation.pk}/cancel/"
    viewer = User.objects.create_user("grace@example.org", "x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_reservation"))
    other = Client()
    other.force_login(viewer)
    assert other.get(path, follow=True).status_code == 403
    for _ in range(2):
        assert admin.get(path).status_code == 302
    reservation.refresh_from_db()
    assert reservation.state == "cancelled"
    assert Product.objects.get(pk=shelf).reserved == 0
    (entry,) = Entry.objects.filter(action="cancel reservation")
    assert entry.principal == "staff ada@example.org"


def test_staff_who_are_no_administrators_make_nobody_more(shelf: int) -> None:
    staff = User.objects.create_user("grace@example.org", "x", is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(staff)
    path = f"/admin/accounts/user/{staff.pk}/change/"
    client.post(path, {"email": staff.email, "is_superuser": "on", "is_staff": "on", "is_active": "on"})
    staff.refresh_from_db()
    assert not staff.is_superuser
