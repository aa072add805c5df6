"""Pages as JSON."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from wagtail.models import PageViewRestriction

from headless import api
from media.models import CustomImage
from pages.models import HomePage, SectionPage
from tests.conftest import Write

pytestmark = pytest.mark.django_db
PAGES = "/api/v2/pages/"


def ask(client: Client, address: str, status: int = 200) -> Any:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_program_reads_an_article(client: Client, write: Write, image: CustomImage, section: SectionPage) -> None:
    secret = write(title="Secret")
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    body = [
        ("text", "<p>Water.</p>"),
        ("image", {"image": image, "caption": "The bridge"}),
        ("call_to_action", {"text": "Go on", "page": secret, "url": ""}),
        ("related_pages", {"title": "", "pages": [section, secret]}),
    ]
    article = write(image=image, image_alt="A bridge", date=date(2026, 3, 1), body=body)
    article.tags.add("night")
    article.save_revision().publish()
    found = ask(client, f"{PAGES}{article.pk}/")
    assert (found["title"], found["date"], found["author"], found["tags"]) == (
        "The bridge that hums",
        "2026-03-01",
        "Jonas Vey",
        ["night"],
    )
    assert (found["image"]["width"], found["image"]["height"]) == (1600, 900)
    assert client.get(found["image"]["url"]).status_code == 200
    text, figure, button, related = found["body"]
    assert text["value"] == "<p>Water.</p>"
    assert figure["value"]["caption"] == "The bridge"
    assert client.get(figure["value"]["image"]["url"])["Content-Type"] == "image/webp"
    assert button["value"]["page"] is None
    assert [page["title"] for page in related["value"]["pages"]] == ["City"]
    assert "Secret" not in client.get(f"{PAGES}{article.pk}/").content.decode()


def test_a_private_page_and_a_draft_are_not_there(client: Client, editor: Client, write: Write) -> None:
    secret, draft, seen = (write(title=title) for title in ("Secret", "Draft", "Seen"))
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    draft.unpublish()
    for who in (client, editor):
        titles = {item["title"] for item in ask(who, PAGES)["items"]}
        assert "Seen" in titles
        assert not titles & {"Secret", "Draft"}
        for page in (secret, draft):
            ask(who, f"{PAGES}{page.pk}/", 404)
        assert ask(who, f"{PAGES}?search=secret")["items"] == []
    assert ask(client, f"{PAGES}?type=pages.ArticlePage")["meta"]["total_count"] == 1
    assert seen.live


def test_of_whom_a_page_is_an_alias_is_not_told(client: Client, home: HomePage, write: Write) -> None:
    secret = write(title="Secret")
    alias = secret.create_alias(parent=home, update_slug="alias")
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    found = ask(client, f"{PAGES}{alias.pk}/")
    assert secret.url not in str(found)
    assert found["meta"]["parent"]["id"] == home.pk
    assert "alias_of" not in found["meta"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes(editor: Client, moderator: Client, write: Write, method: str) -> None:
    address = f"{PAGES}{write().pk}/"
    for client in (Client(), editor, moderator):
        assert getattr(client, method)(address).status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=1000",
        "offset=-1",
        "offset=99999999999999999999",
        "order=nothing",
        "fields=(",
        "search=a%00b",
        "child_of=x",
        "id=99999999999999999999",
        "type=auth.User",
        "nothing=1",
    ],
)
def test_a_wrong_question_is_told_so(client: Client, write: Write, query: str) -> None:
    assert set(ask(client, f"{PAGES}?{query}", 400)) == {"message"}


def test_who_asks_too_often_waits(client: Client, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_PER_MINUTE", 2)
    monkeypatch.setattr("config.limits.time.time", lambda: 1_800_000_000)
    assert [client.get(PAGES).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(PAGES)["Retry-After"] == "60"
    assert client.get(PAGES, REMOTE_ADDR="198.51.100.7").status_code == 200


def test_any_page_may_read_it_and_it_sets_no_cookie(client: Client, write: Write) -> None:
    answer = client.get(PAGES)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not answer.cookies
    assert "cookie" not in answer.get("Vary", "").lower()


@pytest.mark.usefixtures("cached")
def test_what_was_asked_before_costs_no_query(client: Client, write: Write, django_assert_num_queries: Any) -> None:
    article = write()
    ask(client, PAGES)
    with django_assert_num_queries(0):
        ask(client, PAGES)
    article.unpublish()
    assert article.title not in {item["title"] for item in ask(client, PAGES)["items"]}
