"""Keys for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from apikeys.models import APIKey
from apikeys.services import issue
from audit.models import Entry
from tests.callers import Caller

pytestmark = pytest.mark.django_db


def made(scopes: str = "stock:read", lasts: timedelta | None = None, who: str = "till") -> str:
    return issue(name="", who=who, scopes=scopes, lasts=lasts, by="x")[1]


def status(key: str, method: str = "GET") -> int:
    found: int = (
        Caller(None, token=key)
        .ask(method, "products", {"sku": "A", "name": "B"} if method == "POST" else None)
        .status_code
    )
    return found


def test_a_key_opens_what_its_scopes_say() -> None:
    assert (status(made()), status(made(), "POST")) == (200, 403)
    assert status(made("stock:read stock:write"), "POST") == 201
    assert status("stock_" + "x" * 43) == 401
    assert status("stock_") == 401


def test_a_key_ends_when_it_says_and_at_once_when_it_is_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(made(lasts=timedelta(seconds=60))) == 200
    over = Caller(None, token=made(lasts=timedelta(seconds=-1))).ask("GET", "products")
    assert (over.status_code, over["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    key = made()
    assert status(key) == 200
    call_command("revoke_key", key)
    assert status(key) == 401
    with pytest.raises(CommandError, match="before"):
        call_command("revoke_key", key)
    with pytest.raises(CommandError, match="0 keys"):
        call_command("revoke_key", "stock_none")
    others = [made(), made()]
    APIKey.objects.filter(revoked_at=None).update(begins="stock_Ab12Cd")
    with pytest.raises(CommandError, match="4 keys"):
        call_command("revoke_key", "stock_Ab12Cd")
    assert [status(other) for other in others] == [200, 200]
    assert key[12:] not in capsys.readouterr().out


def test_the_command_shows_a_key_this_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_key", "till", "--scope", "stock:read stock:write", "--days", "1", "--name", "Till 7")
    key = capsys.readouterr().out.strip()
    assert status(key) == 200
    for wrong in (["till", "--scope", "stock:steal"], ["till", "--scope", ""], ["a" * 201]):
        with pytest.raises(CommandError):
            call_command("issue_key", *wrong)


def test_nothing_that_opens_anything_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    key = made()
    status(key)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  our own tables
            rows: list[Any] = cursor.fetchall()
            assert key not in str(rows), table
            assert key[12:] not in str(rows), table
    assert key[12:] not in caplog.text + str([vars(record) for record in caplog.records])


def test_what_a_key_holds_is_its_subjects() -> None:
    key = Caller(None, token=made("stock:read stock:write", who="ada"))
    reservation = key.holds(key.product(on_hand=1)).json()["id"]
    assert Caller("ada", "stock:read").ask("GET", f"reservations/{reservation}").status_code == 200
    assert {*Entry.objects.filter(principal="ada").values_list("via", flat=True)} == {f"key {APIKey.objects.get().pk}"}
    assert Caller("grace", "stock:read").ask("GET", f"reservations/{reservation}").status_code == 404


def test_who_makes_and_ends_keys_is_written_down() -> None:
    key = APIKey.objects.get(
        digest__isnull=False, pk=issue(name="", who="a", scopes="stock:read", lasts=None, by="x")[0].pk
    )
    client = Client()
    client.force_login(User.objects.create_superuser("ada@example.org", "x"))
    page = client.get(f"/admin/apikeys/apikey/{key.pk}/change/").content.decode()
    assert key.digest not in page
    path = "/admin/apikeys/apikey/"
    sent: dict[str, Any] = {"action": "revoke", "_selected_action": [key.pk]}
    client.get(path, sent, follow=True)
    assert not APIKey.objects.exclude(revoked_at=None).exists(), "a link, which any page can have, does nothing"
    said = [client.post(path, sent, follow=True).content.decode() for _ in range(2)]
    assert "it is revoked." in said[0]
    assert "it was revoked before." in said[1]
    key.refresh_from_db()
    assert key.revoked_at
    seen = [*Entry.objects.order_by("pk").values_list("principal", "action")]
    assert seen == [("x", "issue key"), ("ada@example.org", "revoke key")]
    assert client.post(path, sent | {"_selected_action": [999999]}, follow=True).status_code == 200
    assert client.get("/admin/apikeys/apikey/add/").status_code == 403


def test_staff_who_may_only_look_revoke_nothing() -> None:
    key = issue(name="", who="a", scopes="stock:read", lasts=None, by="x")[0]
    viewer = User.objects.create_user("grace@example.org", "x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client = Client()
    client.force_login(viewer)
    sent: dict[str, Any] = {"action": "revoke", "_selected_action": [key.pk]}
    assert key.begins in client.post("/admin/apikeys/apikey/", sent, follow=True).content.decode()
    assert not APIKey.objects.exclude(revoked_at=None).exists()


def test_a_key_costs_one_question(django_assert_num_queries: Any) -> None:
    caller = Caller(None, token=made())
    caller.ask("GET", "products")
    # * whose key it is * the products
    with django_assert_num_queries(2):
        caller.ask("GET", "products")
