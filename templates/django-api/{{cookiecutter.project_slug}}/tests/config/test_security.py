"""The baseline."""

import threading

import pytest
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.site import PASSWORD

SIGN_IN = "/admin/login/"


@pytest.fixture
def somebody(db: None) -> User:
    return User.objects.create_superuser("ada@example.org", PASSWORD)


@pytest.mark.django_db
def test_the_probes_answer_before_the_host_check(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/livez", headers={"host": "evil.example"}).json() == {"status": "alive"}
    assert client.get("/readyz", headers={"host": "evil.example"}).json() == {
        "status": "ready",
        "checks": {"database": "ok"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", SIGN_IN, "/static/css/site.css", "/api/v1/openapi.json"])
def test_nothing_is_served_under_the_name_of_another_host(client: Client, path: str) -> None:
    for host, status in (("testserver", 200), ("evil.example", 400)):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == status
        answer.close()


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
def test_pages_allow_no_script_but_their_own_and_the_desk_has_a_policy_of_its_own(client: Client) -> None:
    for path in ("/", "/docs", "/nothing"):
        policy = client.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy, path
    assert "'unsafe-eval'" in client.get(SIGN_IN)["Content-Security-Policy"]
    assert client.get("/")["X-Content-Type-Options"] == "nosniff"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> bool:
    client.post(SIGN_IN, {"username": email, "password": password})
    return "_auth_user_id" in client.session


def test_guessing_ends_after_five_and_for_this_person_only(somebody: User) -> None:
    User.objects.create_superuser("grace@example.org", PASSWORD)
    for _ in range(5):
        assert not sign_in(Client(), somebody.email, "wrong")
    assert not sign_in(Client(), somebody.email)
    assert not sign_in(Client(), " ADA@example.org")
    assert "Too many attempts" in Client().post(SIGN_IN, {"username": somebody.email}).content.decode()
    assert sign_in(Client(), "grace@example.org")


def test_from_one_address_one_tries_no_more_than_thirty_people(somebody: User) -> None:
    for number in range(30):
        assert not sign_in(Client(), f"somebody{number}@example.org")
    assert not sign_in(Client(), somebody.email)
    other = Client(REMOTE_ADDR="203.0.113.9")
    assert sign_in(other, somebody.email)


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_time_are_counted_too(committed: None) -> None:
    User.objects.create_superuser("ada@example.org", PASSWORD)
    seen: list[bool] = []
    start = threading.Barrier(10)

    def guess() -> None:
        start.wait()
        answer = Client().post(SIGN_IN, {"username": "ada@example.org", "password": "wrong"})
        seen.append("Too many" in answer.content.decode())
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(False) <= 5
    assert not sign_in(Client(), "ada@example.org")


def test_a_session_changes_at_sign_in_and_ends_on_the_server(client: Client, somebody: User) -> None:
    client.get(SIGN_IN)
    assert sign_in(client, somebody.email)
    cookie = client.cookies["sessionid"].value
    stolen = Client()
    stolen.cookies["sessionid"] = cookie
    assert stolen.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert stolen.get("/admin/").status_code == 302


def test_another_site_cannot_act_for_somebody(somebody: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(somebody)
    for path in ("/admin/stock/product/add/", SIGN_IN, "/admin/logout/"):
        assert client.post(path, {}).status_code == 403


def test_a_session_of_the_desk_opens_nothing_of_the_api(client: Client, somebody: User) -> None:
    client.force_login(somebody)
    assert client.get("/api/v1/products").status_code == 401
    body = '{"sku": "TEA", "name": "Tea"}'
    assert client.post("/api/v1/products", body, "application/json").status_code == 401
