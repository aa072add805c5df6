"""The baseline."""

import threading

import pytest
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from catalogue.models import Variant
from config.logging import masked
from tests.conftest import make_person
from tests.shelf import PASSWORD, place

SIGN_IN = "/account/login/"


@pytest.mark.django_db
def test_the_probes_answer_before_the_host_check(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/livez", headers={"host": "evil.example"}).json() == {"status": "alive"}
    assert client.get("/readyz", headers={"host": "evil.example"}).json() == {
        "status": "ready",
        "checks": {"database": "ok"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", SIGN_IN, "/static/css/shop.css"])
def test_nothing_is_served_under_the_name_of_another_host(client: Client, path: str) -> None:
    for host, status in (("testserver", 200), ("evil.example", 400)):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == status
        answer.close()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/orders/%00/", "/shop/%00/", "/products/%00/", "/payments/fake/%00/", "/media/%00"])
def test_an_address_that_no_text_can_be_is_refused(client: Client, path: str) -> None:
    assert client.get(path).status_code == 400


@pytest.mark.django_db
def test_a_database_without_its_tables_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health.MigrationExecutor.migration_plan", lambda *_: ["one"])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "lacks migrations"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "status", "seen"), [([], 301, "127.0.0.1"), (["127.0.0.0/8", "10.0.0.0/8"], 404, "203.0.113.9")]
)
def test_what_proxies_say_counts_from_a_listed_one_only(
    settings: Settings, proxies: list[str], status: int, seen: str
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, proxies
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.1, 203.0.113.9, 10.1.2.3"}
    answer = Client().get("/nothing/", headers=headers)
    assert answer.status_code == status
    assert answer.wsgi_request.META["REMOTE_ADDR"] == seen
    assert "HTTP_X_FORWARDED_FOR" not in answer.wsgi_request.META, "nobody else is to believe it"


@pytest.mark.django_db
def test_pages_allow_no_script_but_their_own_and_where_one_pays_stripe_s(client: Client, variant: Variant) -> None:
    pay = f"/orders/{place({variant: 1}).token}/pay/"
    for path in ("/", SIGN_IN, "/basket/", variant.product.get_absolute_url()):
        policy = client.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy, path
        assert "stripe" not in policy, path
    policy = client.get(pay)["Content-Security-Policy"]
    assert "script-src 'self' https://js.stripe.com" in policy
    assert "unsafe" not in policy
    assert client.get("/")["X-Content-Type-Options"] == "nosniff"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> bool:
    client.post(SIGN_IN, {"login": email, "password": password})
    return "_auth_user_id" in client.session


@pytest.mark.usefixtures("counted")
@pytest.mark.django_db
def test_guessing_ends_after_five_and_for_this_person_only(ada: User) -> None:
    make_person("grace@example.org")
    for _ in range(5):
        assert not sign_in(Client(), ada.email, "wrong")
    assert not sign_in(Client(), ada.email)
    assert not sign_in(Client(), " ADA@example.org")
    assert sign_in(Client(), "grace@example.org")


@pytest.mark.usefixtures("counted")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_guesses_at_the_same_time_are_counted_too(committed: None) -> None:
    make_person()
    seen: list[bool] = []
    start = threading.Barrier(10)

    def guess() -> None:
        start.wait()
        answer = Client().post(SIGN_IN, {"login": "ada@example.org", "password": "wrong"})
        seen.append("Too many" in answer.content.decode())
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(False) <= 5
    assert not sign_in(Client(), "ada@example.org")


@pytest.mark.usefixtures("counted")
@pytest.mark.django_db
def test_a_session_ends_on_the_server(client: Client, ada: User) -> None:
    before = client.session.session_key
    assert sign_in(client, ada.email)
    stolen = Client(cookies=client.cookies)
    assert client.session.session_key != before
    assert client.get("/orders/").status_code == 200
    cookie = client.cookies["sessionid"].value
    client.post("/account/logout/")
    stolen.cookies["sessionid"] = cookie
    assert stolen.get("/orders/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/basket/add/", "/checkout/place/", SIGN_IN, "/account/logout/"])
def test_another_site_cannot_act_for_somebody(ada: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post(path, {}).status_code == 403


@pytest.mark.django_db
def test_what_opens_something_is_not_in_the_log(
    client: Client, variant: Variant, caplog: pytest.LogCaptureFixture
) -> None:
    order = place({variant: 1})
    client.get(order.get_absolute_url())
    client.get("/account/password/reset/key/1-secretsecret/")
    client.get(order.get_absolute_url().rstrip("/"))
    assert "GET /orders/…/ 200" in caplog.text
    assert "GET /orders/… 301" in caplog.text
    assert masked(f"/orders/{order.token}/cancel/") == "/orders/…/cancel/"
    assert order.token not in caplog.text
    assert "secretsecret" not in caplog.text


@pytest.mark.django_db
def test_a_page_that_breaks_says_so_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False

    def breaks(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("catalogue.services.find", breaks)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something broke" in answer.content.decode()
