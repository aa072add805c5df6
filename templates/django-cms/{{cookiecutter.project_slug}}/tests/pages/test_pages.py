"""Pages, as visitors get them."""

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from wagtail.contrib.search_promotions.models import Query, SearchPromotion
from wagtail.models import Locale, Page, PageViewRestriction

from config.models import Use
from media.models import CustomImage, CustomRendition
from pages.models import ArticleIndexPage, ArticlePage, HomePage, SectionPage, StandardPage
from tests.conftest import TEXT, Write
from tests.tree import addresses, grow

pytestmark = pytest.mark.django_db


def html(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer
    return answer.content.decode()


def test_an_article_shows_what_it_has_and_where_it_stands(client: Client, write: Write, image: CustomImage) -> None:
    article = write(image=image, image_alt="A bridge", date=date(2026, 3, 1))
    text = html(client, article.url)
    for part in (
        "<h1>The bridge that hums</h1>",
        "Jonas Vey",
        "March 1, 2026",
        "Water finds its way.",
        'alt="A bridge"',
    ):
        assert part in text
    way = text.partition('class="way"')[2].partition("</nav>")[0]
    assert re.findall(r">([^<>]+)</a>", way) == ["Magazine", "City", "Stories"]
    assert {re.search(r'type="(image/\w+)"', each)[1] for each in re.findall("<source[^>]+>", text)} == {  # type: ignore[index]
        "image/avif",
        "image/webp",
    }
    assert re.search(r"<img[^>]+srcset=[^>]+\.jpg", text)
    assert 'alt=""' in html(client, "/city/stories/"), "in a list the title says it"


def test_a_size_that_another_process_has_deleted_is_made_anew(client: Client, write: Write, image: CustomImage) -> None:
    article = write(image=image, image_alt="A bridge")
    before = html(client, article.url)
    with connection.cursor() as other:
        other.execute("DELETE FROM media_customrendition")
    assert html(client, article.url).count("<source") == before.count("<source")
    assert CustomRendition.objects.exists()


def test_an_image_without_words_is_refused_and_the_editor_told_where(write: Write, image: CustomImage) -> None:
    with pytest.raises(ValidationError) as refused:
        ArticlePage(title="x", slug="x", author="x", introduction="x", body=TEXT, image=image).full_clean(
            exclude=["path", "depth"]
        )
    assert list(refused.value.message_dict) == ["image_alt"]


def test_search_engines_are_told_what_it_is(client: Client, write: Write) -> None:
    article = write(title="</script><b>", seo_title="Hum", search_description="A bridge hums.")
    text = html(client, article.url)
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
    graph = json.loads(found)["@graph"]
    assert graph[0]["headline"] == "</script><b>"
    assert [item["name"] for item in graph[1]["itemListElement"]] == ["Magazine", "City", "Stories", "</script><b>"]
    assert "<title>Hum · Magazine</title>" in text
    assert '<meta name="description" content="A bridge hums.">' in text
    assert f'<link rel="canonical" href="{article.full_url}">' in text
    assert "noindex" not in text


def test_a_page_that_is_to_be_left_alone_says_so(client: Client, write: Write) -> None:
    article = write(noindex=True, canonical_url="https://example.org/first")
    text = html(client, article.url)
    assert '<meta name="robots" content="noindex">' in text
    assert '<link rel="canonical" href="https://example.org/first">' in text
    assert article.full_url not in html(client, "/sitemap.xml")


def test_a_list_goes_on_after_twenty(client: Client, write: Write, stories: ArticleIndexPage) -> None:
    for number in range(25):
        write(title=f"Story {number}", date=date(2026, 1, 1) + timedelta(days=number))
    first, second = html(client, stories.url), html(client, f"{stories.url}?page=2")
    assert first.count("<article>") == 20
    assert "Story 24<" in first
    assert second.count("<article>") == 5
    assert "Story 0<" in second
    assert html(client, f"{stories.url}?page=99").count("<article>") == 5


def test_a_tag_is_a_list(client: Client, write: Write, stories: ArticleIndexPage) -> None:
    write(title="Plain")
    tagged = write(title="At night")
    tagged.tags.add("night")
    tagged.save_revision().publish()
    text = html(client, f"{stories.url}?tag=night")
    assert "At night" in text
    assert "Plain" not in text
    assert "There is nothing here yet." in html(client, f"{stories.url}?tag=nothing")


def test_a_language_leads_to_the_other(client: Client, home: HomePage, section: SectionPage) -> None:
    german = Locale.objects.get(language_code="de")
    home_de = home.copy_for_translation(german)
    home_de.title = "Magazin"
    home_de.save_revision().publish()
    text = html(client, "/")
    assert '<html lang="en">' in text
    assert f'<link rel="alternate" hreflang="de" href="{home_de.full_url}">' in text
    assert 'hreflang="de" lang="de">Deutsch</a>' in text
    german_text = html(client, home_de.url)
    assert '<html lang="de">' in german_text
    assert 'placeholder="Suche"' in german_text


def test_a_private_page_is_nowhere(client: Client, write: Write, stories: ArticleIndexPage) -> None:
    secret = write(title="Secret plans")
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    assert client.get(secret.url).status_code == 302
    for address in ("/", stories.url, "/search/?q=secret", "/feed/", "/sitemap.xml"):
        assert "Secret plans" not in html(client, address), address


def test_search_finds_words_and_shows_first_what_editors_put_first(
    client: Client, write: Write, section: SectionPage
) -> None:
    write(title="The bridge that hums")
    write(title="A square")
    query = Query.get("bridge")
    SearchPromotion.objects.create(query=query, page=section, sort_order=1, description="Begin here.")
    text = html(client, "/search/?q=bridge")
    assert text.index("Begin here.") < text.index("The bridge that hums")
    assert "A square" not in text
    assert "1 page<" in text
    assert "Nothing has these words." in html(client, "/search/?q=zebra")
    assert "There is" not in html(client, "/search/")
    assert client.get("/search/?q=a%00b").status_code == 200
    assert Query.objects.count() == 1, "a question writes nothing"


def test_who_asks_more_than_a_person_does_waits(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.search.MOST_PER_MINUTE", 2)
    now = 1_800_000_000
    monkeypatch.setattr("config.limits.time.time", lambda: now)
    assert [client.get("/search/?q=a").status_code for _ in range(3)] == [200, 200, 429]
    assert "Please wait a minute" in html(client, "/search/?q=a", 429)
    assert client.get("/search/").status_code == 200, "an empty question costs nothing"
    assert client.get("/search/?q=a", REMOTE_ADDR="198.51.100.7").status_code == 200
    now += 60
    assert client.get("/search/?q=a").status_code == 200
    assert Use.objects.count() == 1, "what is over is not kept"


def test_readers_of_feeds_get_the_newest(client: Client, write: Write) -> None:
    write(title="Old", date=date(2026, 1, 1))
    write(title="New", date=date(2026, 2, 1))
    text = html(client, "/feed/")
    assert text.index("<title>New</title>") < text.index("<title>Old</title>")
    assert "<author><name>Jonas Vey</name></author>" in text


def test_robots_and_the_map_of_the_site(client: Client, write: Write) -> None:
    article = write()
    assert "Sitemap: http://testserver/sitemap.xml" in html(client, "/robots.txt")
    assert article.full_url in html(client, "/sitemap.xml")


def test_the_map_has_every_language_and_nothing_private(client: Client, home: HomePage, write: Write) -> None:
    german = home.copy_for_translation(Locale.objects.get(language_code="de"))
    german.save_revision().publish()
    secret = write(title="Secret")
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    text = html(client, "/sitemap.xml")
    assert f"<loc>{german.full_url}</loc>" in text
    assert secret.full_url not in text


def test_what_is_not_public_is_not_above_a_page_either(client: Client, section: SectionPage, write: Write) -> None:
    article = write()
    section.unpublish()
    text = html(client, article.url)
    assert ">City<" not in text
    assert '"City"' not in text


def test_a_preview_is_seen_behind_https(editor: Client, write: Write, settings: Settings) -> None:
    article = write()
    article.title = "Not yet"
    settings.SECURE_SSL_REDIRECT = True
    answer = article.make_preview_request()
    assert answer.status_code == 200
    assert "Not yet" in answer.content.decode()


def test_another_slug_leaves_a_redirect(client: Client, write: Write) -> None:
    article = write()
    old = article.url
    article.slug = "humming"
    article.save_revision().publish()
    answer = client.get(old)
    assert answer.status_code == 301
    assert answer["Location"].endswith("/humming/")


def test_what_was_deleted_is_gone_and_what_never_was_is_not_found(client: Client, write: Write) -> None:
    article = write()
    address = article.url
    article.delete()
    assert "This page is gone" in html(client, address, 410)
    assert "There is no such page" in html(client, "/never/", 404)


def test_a_scheduled_article_comes_when_it_is_time(client: Client, stories: ArticleIndexPage) -> None:
    article = ArticlePage(title="Later", author="x", introduction="x", body=TEXT, live=False)
    article.go_live_at = timezone.now() + timedelta(hours=1)
    stories.add_child(instance=article)
    article.save_revision(approved_go_live_at=article.go_live_at)
    call_command("publish_scheduled")
    assert client.get(article.url or "/city/stories/later/").status_code == 404
    revision = article.latest_revision
    revision.approved_go_live_at = timezone.now() - timedelta(minutes=1)
    revision.content["go_live_at"] = revision.approved_go_live_at.isoformat()
    revision.save()
    call_command("publish_scheduled")
    assert client.get("/city/stories/later/").status_code == 200


MOST = {"home": 6, "list": 14, "article": 12, "search": 12}


@pytest.mark.parametrize("many", [1, 50])
def test_a_page_costs_the_same_with_many_others(
    client: Client, write: Write, many: int, django_assert_max_num_queries: Any, image: CustomImage
) -> None:
    for number in range(many):
        article = write(title=f"Story {number}", image=image, image_alt="x")
    places = {"home": "/", "list": "/city/stories/", "article": article.url, "search": "/search/?q=story"}
    for kind, address in places.items():
        client.get(address)  # makes the images' sizes
        with django_assert_max_num_queries(MOST[kind]):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("many", [10, 1000])
def test_a_page_costs_the_same_in_a_large_tree(
    client: Client, write: Write, many: int, django_assert_max_num_queries: Any
) -> None:
    write()
    grow(many)
    call_command("update_index", verbosity=0)
    client.get("/")  # from now on it is remembered what is the same for everybody
    for kind, address in (addresses() | {"search": "/search/?q=grown"}).items():
        with django_assert_max_num_queries(MOST[kind]):
            assert client.get(address).status_code == 200
    assert ArticlePage.objects.count() == many + 1
    assert Page.find_problems() == ([], [], [], [], [])


def test_pages_of_text_have_pages_of_text(client: Client, home: HomePage) -> None:
    about = StandardPage(title="About us", body=TEXT)
    home.add_child(instance=about)
    assert "Water finds its way." in html(client, about.url)
    assert StandardPage.allowed_subpage_models() == [StandardPage]
    assert Page.objects.get(pk=about.pk).specific.breadcrumbs[0].title == "Magazine"
