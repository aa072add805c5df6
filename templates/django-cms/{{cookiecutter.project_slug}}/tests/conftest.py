"""What tests get: a site with a few pages, and the people who write them."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.images import ImageFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings
from wagtail.models import Site

from accounts.models import User
from config import pagecache
from media.models import CustomImage
from pages.models import ArticleIndexPage, ArticlePage, HomePage, SectionPage
from tests.processes import Processes, new_database

pytest_plugins = ["tests.browser.fixtures"]
TEXT = [("text", "<p>Water finds its way.</p>")]


@pytest.fixture(autouse=True)
def own_files(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each test has its media and its page cache to itself."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.DATA = tmp_path
    settings.PAGE_CACHE = False
    pagecache.generation.cache_clear()
    pagecache.generation().move()  # what was remembered in another test is not of this one
    # A test is one transaction that is never committed: what waits for that is done at once.
    if "committed" not in request.fixturenames:
        monkeypatch.setattr("config.pagecache.transaction.on_commit", lambda do, **_: do())


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    """Argon2 costs a third of a second, which is what it is for; the tests have hundreds of people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def home(db: None) -> HomePage:
    page: HomePage = Site.objects.get(is_default_site=True).root_page.specific
    return page


@pytest.fixture
def section(home: HomePage) -> SectionPage:
    page = SectionPage(title="City", introduction="Streets and houses.")
    home.add_child(instance=page)
    return page


@pytest.fixture
def stories(section: SectionPage) -> ArticleIndexPage:
    page = ArticleIndexPage(title="Stories")
    section.add_child(instance=page)
    return page


type Write = Callable[..., ArticlePage]


@pytest.fixture
def write(stories: ArticleIndexPage) -> Write:
    """Publish an article."""

    def made(title: str = "The bridge that hums", **fields: Any) -> ArticlePage:
        given = {"author": "Jonas Vey", "introduction": "It hums at night.", "body": TEXT} | fields
        page = ArticlePage(title=title, **given)
        stories.add_child(instance=page)
        page.save_revision().publish()
        return page

    return made


@pytest.fixture
def image(db: None) -> CustomImage:
    file = io.BytesIO()
    Image.new("RGB", (1600, 1000), "#264653").save(file, "JPEG")
    made: CustomImage = CustomImage.objects.create(title="Blue", file=ImageFile(file, name="blue.jpg"))
    return made


def member(email: str, group: str) -> User:
    person = User.objects.create_user(email, "correct horse battery", first_name="A", last_name="Person")
    person.groups.add(Group.objects.get(name=group))
    return person


@pytest.fixture
def editor(db: None) -> Client:
    client = Client()
    client.force_login(member("editor@example.org", "Editors"))
    return client


@pytest.fixture
def moderator(db: None) -> Client:
    client = Client()
    client.force_login(member("moderator@example.org", "Moderators"))
    return client


@pytest.fixture
def cached(settings: Settings) -> None:
    """The page cache, as it is in production."""
    settings.PAGE_CACHE = True


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Real commits, which other connections see."""


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A site with a database and a folder of its own, as `tests/site.py` builds it."""
    folder = tmp_path_factory.mktemp("site")
    with new_database(folder) as url:
        found = Processes({"DATABASE_URL": url, "DATA_DIR": str(folder)})
        found.run("migrate", "-v0")
        found.run("shell", "-v0", "-c", "from tests.site import build; build()")
        yield found
