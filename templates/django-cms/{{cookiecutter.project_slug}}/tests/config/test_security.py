"""The baseline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User

ROOT = Path(__file__).parents[2]


@pytest.mark.django_db
def test_the_probes_answer_before_the_host_check(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/livez", headers={"host": "evil.example"}).json() == {"status": "alive"}
    assert client.get("/readyz", headers={"host": "evil.example"}).json() == {
        "status": "ready",
        "checks": {"database": "ok"},
    }
    for path in ("/", "/admin/login/", "/static/css/site.css"):
        assert client.get(path, headers={"host": "evil.example"}).status_code == 400, path


@pytest.mark.django_db
def test_nothing_is_served_under_the_name_of_another_host(client: Client) -> None:
    assert client.get("/static/css/site.css").status_code == 200
    assert client.get("/static/css/site.css", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/%00/", "/city/%00/", "/de/%00/", "/documents/1/%00", "/media/images/%00.jpg"])
def test_an_address_that_no_text_can_be_is_refused(client: Client, path: str) -> None:
    assert client.get(path).status_code == 400


@pytest.mark.django_db
def test_a_database_without_its_tables_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health.MigrationExecutor.migration_plan", lambda *_: ["one"])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "lacks migrations"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "status", "logged"), [([], 301, "127.0.0.1"), (["127.0.0.0/8", "10.0.0.0/8"], 404, "203.0.113.9")]
)
def test_what_proxies_say_counts_from_a_listed_one_only(
    settings: Settings, proxies: list[str], status: int, logged: str
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, proxies
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.1, 203.0.113.9, 10.1.2.3, garbage"[:-9]}
    answer = Client().get("/nothing/", headers=headers)
    assert answer.status_code == status
    assert answer.wsgi_request.META["REMOTE_ADDR"] == logged
    assert "HTTP_X_FORWARDED_FOR" not in answer.wsgi_request.META, "nobody else is to believe it"


@pytest.mark.django_db
def test_pages_allow_no_script_but_their_own_and_the_admin_is_the_one_exception(client: Client) -> None:
    public, admin = (client.get(path)["Content-Security-Policy"] for path in ("/", "/admin/login/"))
    assert "unsafe" not in public
    assert "default-src 'self'" in public
    assert "script-src 'self' 'unsafe-inline'" in admin
    assert client.get("/")["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_guessing_ends_after_five_and_for_this_person_only(client: Client) -> None:
    for email in ("ada@example.org", "grace@example.org"):
        User.objects.create_user(email, "correct horse battery", is_superuser=True)
    form = {"username": "ada@example.org", "password": "wrong"}
    statuses = [client.post("/admin/login/", form).status_code for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]
    form["password"] = "correct horse battery"
    assert client.post("/admin/login/", form).status_code == 429
    assert client.post("/admin/login/", form | {"username": "grace@example.org"}).status_code == 302


@pytest.mark.django_db
def test_another_spelling_is_the_same_person(client: Client) -> None:
    User.objects.create_user("ada@example.org", "correct horse battery", is_superuser=True)
    spellings = ["ada@example.org", "Ada@example.org", "ADA@example.org", " ada@Example.org", "aDa@example.org"]
    for email in spellings:
        client.post("/admin/login/", {"username": email, "password": "wrong"})
    right = {"username": "adA@example.org", "password": "correct horse battery"}
    assert client.post("/admin/login/", right).status_code == 429


def test_the_deployment_check_is_clean_and_says_what_is_missing(tmp_path: Path) -> None:
    env = os.environ | {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2,
        "ALLOWED_HOSTS": "x",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bare = env | {"SECRET_KEY": "", "ALLOWED_HOSTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SECRET_KEY is not set." in done.stderr
    assert "ALLOWED_HOSTS is not set." in done.stderr
    serve = [sys.executable, "manage.py", "serve"]
    done = subprocess.run(serve, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SECRET_KEY is not set." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_a_page_that_breaks_says_so_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False

    def breaks(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("wagtail.models.Site.find_for_request", breaks)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something broke" in answer.content.decode()
