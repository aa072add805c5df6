"""Kept pages: never an old one, never somebody else's."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from wagtail.models import PageViewRestriction, Site

from config import pagecache
from config.pagecache import FileGeneration, PageCache, ValkeyGeneration
from media.models import CustomDocument, CustomImage
from pages.models import HomePage
from tests import servers
from tests.conftest import Write

pytestmark = [pytest.mark.usefixtures("cached"), pytest.mark.django_db]


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_a_kept_page_costs_no_query(client: Client, write: Write) -> None:
    address = write().url
    assert queries(client, address) > 0
    assert queries(client, address) == 0
    answer = client.get(address)
    assert "Water finds its way." in answer.content.decode()
    assert answer["Cache-Control"] == "public, no-cache"
    assert answer["X-Request-ID"] != client.get(address)["X-Request-ID"]


def test_who_has_it_already_is_told_so(client: Client, write: Write) -> None:
    address = write().url
    tag = client.get(address)["ETag"]
    again = client.get(address, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"if-none-match": '"other"'}).status_code == 200


def test_after_each_change_the_page_is_made_anew(
    client: Client, write: Write, home: HomePage, image: CustomImage
) -> None:
    article = write()

    def publish() -> None:
        article.title = "Another title"
        article.save_revision().publish()

    changes = [
        publish,
        article.unpublish,
        lambda: article.save_revision().publish(),
        lambda: Site.objects.get().save(),
        lambda: article.move(home, pos="last-child"),
        lambda: article.copy(recursive=False, to=home, update_attrs={"slug": "copy"}),
        lambda: article.create_alias(parent=home, update_slug="alias"),
        image.save,
        CustomDocument(title="Another file", file=ContentFile(b"text", "x.txt")).save,
        lambda: PageViewRestriction.objects.create(page=article, restriction_type="login"),
        article.delete,
    ]
    for change in changes:
        queries(client, "/")
        assert queries(client, "/") == 0
        change()
        assert queries(client, "/") > 0, change


def test_who_is_signed_in_gets_their_own(client: Client, editor: Client, write: Write) -> None:
    address = write().url
    queries(client, address)
    assert queries(editor, address) > 0
    assert queries(client, address) == 0


@pytest.mark.parametrize("address", ["/search/?q=hums", "/de/search/?q=hums"])
def test_what_somebody_searches_is_not_kept(client: Client, write: Write, address: str) -> None:
    write()
    queries(client, address)
    assert queries(client, address) > 0


def test_a_private_page_is_not_kept(client: Client, editor: Client, write: Write) -> None:
    article = write()
    PageViewRestriction.objects.create(page=article, restriction_type="login")
    assert editor.get(article.url).status_code == 200
    assert client.get(article.url).status_code == 302


def answer_with(response: Any, request: HttpRequest) -> list[HttpResponse]:
    """What the middleware answers, twice, when the application answers with this."""
    middleware = PageCache(lambda _request: response)
    return [middleware(request), middleware(request)]


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response.set_cookie("x", "y"),
        lambda response: response.__setitem__("Cache-Control", "private"),
        lambda response: response.__setitem__("Cache-Control", "no-store"),
        lambda response: response.__setitem__("Vary", "Cookie"),
        lambda response: setattr(response, "status_code", 404),
        lambda response: setattr(response, "content", b"x" * (pagecache.LONGEST_PAGE + 1)),
    ],
)
def test_what_is_not_for_everybody_is_not_kept(change: Any) -> None:
    response = HttpResponse("mine")
    change(response)
    assert answer_with(response, RequestFactory().get("/")) == [response, response]


def test_a_stream_is_not_kept() -> None:
    response = StreamingHttpResponse(iter([b"x"]))
    assert [id(each) for each in answer_with(response, RequestFactory().get("/"))] == [id(response)] * 2


@pytest.mark.parametrize(
    "request_",
    [
        RequestFactory().post("/"),
        RequestFactory().get("/admin/"),
        RequestFactory().get("/", {"x": "y" * 101}),
        RequestFactory(headers={"cookie": "sessionid=x"}).get("/"),
    ],
)
def test_what_is_not_asked_by_just_anybody_is_not_kept(request_: HttpRequest) -> None:
    response = HttpResponse("mine")
    assert answer_with(response, request_)[1] is response


def test_another_host_and_another_question_are_other_pages() -> None:
    asked: list[str] = []

    def application(request: HttpRequest) -> HttpResponse:
        asked.append(request.get_full_path())
        return HttpResponse(request.get_full_path())

    middleware = PageCache(application)
    for address in ("/?page=1", "/?page=2", "/?page=1"):
        assert middleware(RequestFactory().get(address)).content.decode() == address
    middleware(RequestFactory(headers={"host": "localhost"}).get("/?page=1"))
    assert asked == ["/?page=1", "/?page=2", "/?page=1"]


def test_it_keeps_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagecache, "MOST_BYTES", 2500)
    made: list[str] = []

    def application(request: HttpRequest) -> HttpResponse:
        made.append(request.path)
        return HttpResponse(b"x" * 1000)

    middleware = PageCache(application)
    for path in ("/a", "/b", "/c", "/a"):
        middleware(RequestFactory().get(path))
    assert made == ["/a", "/b", "/c", "/a"], "the oldest has gone"


def test_it_keeps_no_more_pages_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagecache, "MOST_PAGES", 2)
    middleware = PageCache(lambda _request: HttpResponse("x"))
    for number in range(5):
        middleware(RequestFactory().get("/", {"x": number}))
    assert len(middleware._pages) == 2  # noqa: SLF001


def test_a_page_that_was_begun_before_a_change_is_not_kept_after_it() -> None:
    """It was made from what was there before; kept as new it would be shown until the next change."""
    made = 0

    def application(_request: HttpRequest) -> HttpResponse:
        nonlocal made
        made += 1
        if made == 1:
            pagecache.generation().move()
        return HttpResponse(str(made))

    middleware = PageCache(application)
    assert [middleware(RequestFactory().get("/")).content for _ in range(3)] == [b"1", b"2", b"2"]


def test_the_file_tells_every_process(tmp_path: Path) -> None:
    one, other = FileGeneration(tmp_path / "x" / "number"), FileGeneration(tmp_path / "x" / "number")
    assert one.read() == other.read()
    seen = {one.read()}
    for _ in range(50):
        one.move()
        assert other.read() not in seen
        seen.add(other.read())
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["number"]


def test_valkey_tells_every_host_and_without_it_nothing_is_kept() -> None:
    with servers.valkey() as url:
        one, other = (ValkeyGeneration(url.replace("valkey", "redis")) for _ in range(2))
        before = one.read()
        other.move()
        assert one.read() not in (None, before)
        redis.Redis.from_url(url.replace("valkey", "redis")).flushall()
        emptied = one.read()
        assert emptied == other.read()
        assert emptied not in (None, "None", before)
    assert one.read() is None


def test_an_address_from_a_campaign_is_the_same_page(client: Client, write: Write) -> None:
    address = write().url
    queries(client, f"{address}?page=2")
    assert queries(client, f"{address}?utm_source=letter&page=2&fbclid=x") == 0
    assert "utm_source" not in client.get("/?utm_source=letter").content.decode()


def test_a_kept_page_lives_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed after a commit, and before saying so, is found out by then."""
    now, made = 0.0, 0

    def application(_request: HttpRequest) -> HttpResponse:
        nonlocal made
        made += 1
        return HttpResponse("x")

    monkeypatch.setattr("config.pagecache.time.monotonic", lambda: now)
    middleware = PageCache(application)
    for now in (0.0, 600.0, 600.1):  # noqa: B007  the clock
        middleware(RequestFactory().get("/"))
    assert made == 2


def test_what_was_kept_before_the_news_stopped_is_not_shown_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile somebody may have published, and could not say so."""
    answers = iter(["1", "1", None, "1"])
    monkeypatch.setattr("config.pagecache.generation", lambda: SimpleNamespace(read=lambda: next(answers)))
    made: list[HttpRequest] = []

    def application(request: HttpRequest) -> HttpResponse:
        made.append(request)
        return HttpResponse("x")

    middleware = PageCache(application)
    for _ in range(4):
        middleware(RequestFactory().get("/"))
    assert len(made) == 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_it_is_announced_after_the_commit(committed: None, write: Write) -> None:
    """Earlier, others would keep once more what was there before."""
    article = write()
    before = pagecache.generation().read()
    with transaction.atomic():
        article.save_revision().publish()
        assert pagecache.generation().read() == before
    assert pagecache.generation().read() != before


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nobody_sees_an_older_page_than_was_published_before_they_asked(
    committed: None,
    write: Write,
) -> None:
    article = write()
    address, published, wrong = article.url, [0], []
    done = threading.Event()

    def ask() -> None:
        client = Client()
        while not done.is_set():
            before = published[0]
            text = client.get(address).content.decode()
            if int(text.partition("<h1>Number ")[2].partition("<")[0] or 0) < before:
                wrong.append((before, text[:200]))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    article.title = "Number 0"
    article.save_revision().publish()
    for thread in threads:
        thread.start()
    for number in range(1, 6):
        article.title = f"Number {number}"
        article.save_revision().publish()
        published[0] = number
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert settings.PAGE_CACHE
