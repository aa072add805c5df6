"""The admin: what staff look at, and what they do."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from reservations.models import Reservation
from stock.errors import ProductInUse
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
    assert seen == [("ada@example.org", action) for action in actions]


def test_a_product_with_a_past_stays(admin: Client, shelf: int) -> None:
    admin.post(f"/admin/stock/product/{shelf}/delete/", {"post": "yes"})
    admin.post("/admin/stock/product/", {"action": "delete_selected", "_selected_action": shelf, "post": "yes"})
    assert Product.objects.filter(pk=shelf).exists()


RESERVATIONS = "/admin/reservations/reservation/"


def cancels(*which: object) -> dict[str, Any]:
    """What the list of reservations sends when staff have chosen some, and `Cancel`."""
    return {"action": "cancel", "_selected_action": [*which]}


@pytest.mark.django_db(transaction=True)
def test_staff_cancel_for_somebody(admin: Client, shelf: int) -> None:
    reservation = Reservation.objects.get()
    viewer = User.objects.create_user("grace@example.org", "x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_reservation"))
    other = Client()
    other.force_login(viewer)
    other.post(RESERVATIONS, cancels(reservation.pk), follow=True)
    for path in (RESERVATIONS, f"{RESERVATIONS}{reservation.pk}/change/"):
        admin.get(path, cancels(reservation.pk), follow=True)
    assert not Reservation.objects.exclude(state="held").exists(), "a link, which any page can have, does nothing"
    said = [admin.post(RESERVATIONS, cancels(reservation.pk), follow=True).content.decode() for _ in range(2)]
    assert "for ada: it is cancelled." in said[0]
    assert "confirmed, cancelled or expired already" in said[1]
    assert "it is cancelled." not in said[1]
    reservation.refresh_from_db()
    assert reservation.state == "cancelled"
    assert Product.objects.get(pk=shelf).reserved == 0
    (entry,) = Entry.objects.filter(action="cancel reservation")
    assert (entry.principal, entry.via) == ("ada@example.org", "staff")
    assert admin.post(RESERVATIONS, cancels(999999), follow=True).status_code == 200
    assert Entry.objects.filter(action="cancel reservation").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_that_staff_cancel_each_is_told_until_one_is_refused(admin: Client, ada: Caller, shelf: int) -> None:
    over = Reservation.objects.get()
    Reservation.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    later = ada.holds(shelf, 1).json()["id"]
    page = admin.post(RESERVATIONS, cancels(over.pk, later), follow=True).content.decode()
    assert page.count("it is cancelled.") == 1
    assert "confirmed, cancelled or expired already" in page
    assert dict(Reservation.objects.values_list("pk", "state")) == {over.pk: "held", later: "cancelled"}


def test_another_site_cancels_nothing(shelf: int) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ada@example.org", "x"))
    sent = cancels(Reservation.objects.get().pk)
    assert client.post(RESERVATIONS, sent, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert Reservation.objects.get().state == "held"


def test_reservations_are_filtered_by_their_state_at_this_moment(admin: Client, ada: Caller, shelf: int) -> None:
    ada.holds(shelf, 1)
    Reservation.objects.filter(quantity=2).update(expires_at=timezone.now() - timedelta(seconds=1))
    path = "/admin/reservations/reservation/?state="
    found = {
        state: [*admin.get(f"{path}{state}").context["cl"].queryset.values_list("quantity", flat=True)]
        for state in ("held", "expired", "cancelled")
    }
    assert found == {"held": [1], "expired": [2], "cancelled": []}


@pytest.mark.parametrize(("sku", "name"), [("tea /green", "Tea"), ("TEA\u202e", "Tea"), ("TEA", "x\ny"), ("TEA", "")])
def test_the_desk_makes_nothing_that_the_contract_has_not(admin: Client, sku: str, name: str) -> None:
    assert admin.post("/admin/stock/product/add/", {"sku": sku, "name": name}).status_code == 200
    assert not Product.objects.exists()


@pytest.mark.parametrize("what", ["create", "change", "delete"])
def test_what_the_rules_refuse_at_the_desk_is_told(
    admin: Client, ada: Caller, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    product = ada.product(sku="TEA")

    def refuses(**_: Any) -> None:
        raise ProductInUse("Somebody was faster.")

    monkeypatch.setattr(f"stock.services.{what}", refuses)
    path = f"/admin/stock/product/{'add' if what == 'create' else f'{product}/{what}'}/"
    form = {"post": "yes"} if what == "delete" else {"sku": "CUP", "name": "A cup"}
    page = admin.post(path, form, follow=True).content.decode()
    assert "Somebody was faster." in page
    assert "successfully" not in page
    assert [*Product.objects.values_list("sku", flat=True)] == ["TEA"]


def test_staff_who_are_no_administrators_make_nobody_more(shelf: int) -> None:
    staff = User.objects.create_user("grace@example.org", "x", is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(staff)
    path = f"/admin/accounts/user/{staff.pk}/change/"
    client.post(path, {"email": staff.email, "is_superuser": "on", "is_staff": "on", "is_active": "on"})
    staff.refresh_from_db()
    assert not staff.is_superuser


def test_staff_who_may_change_roles_and_people_give_themselves_nothing(admin: Client) -> None:
    staff = User.objects.create_user("grace@example.org", "x", is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label__in=["accounts", "auth"]))
    staff.groups.add(group := Group.objects.create(name="Desk"))
    client = Client()
    client.force_login(staff)
    everything = {"name": "Desk", "permissions": [*Permission.objects.values_list("pk", flat=True)]}
    assert client.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200, "to look at"
    assert client.post(f"/admin/auth/group/{group.pk}/change/", everything).status_code == 403
    administrator = User.objects.get(email="ada@example.org")
    assert client.post(f"/admin/accounts/user/{administrator.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (group.permissions.count(), User.objects.count()) == (0, 2)
    assert admin.post(f"/admin/auth/group/{group.pk}/change/", everything).status_code == 302
