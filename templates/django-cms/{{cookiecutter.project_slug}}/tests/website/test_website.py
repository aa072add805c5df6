"""What is the same on every page."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django.fixtures import Settings
from wagtail.models import Locale, Page, PageViewRestriction, Site

from pages.blocks import CallToAction
from pages.models import HomePage, SectionPage
from tests.conftest import Write
from website.models import Entry, SiteSettings
from website.signals import settle

pytestmark = pytest.mark.django_db


def navigate(*entries: dict[str, Any]) -> SiteSettings:
    found: SiteSettings = SiteSettings.for_site(Site.objects.get())
    found.navigation = [("entry", entry) for entry in entries]
    found.footer = [("link", {"page": entry["page"], "title": "At the foot"}) for entry in entries]
    found.social = [("address", {"name": "Mastodon", "url": "https://mastodon.example/@m"})]
    found.imprint = "Who is responsible"
    found.save()
    return found


def test_the_navigation_has_two_levels_and_shows_where_one_is(
    client: Client, section: SectionPage, write: Write
) -> None:
    article = write()
    navigate({"page": section, "title": "", "below": [{"page": article, "title": "Read this"}]})
    text = client.get(section.url).content.decode()
    assert f'<a href="{section.url}" aria-current="page">City</a>' in text
    assert f'<a href="{article.url}">Read this</a>' in text
    assert ">At the foot</a>" in text
    assert 'rel="me">Mastodon</a>' in text
    assert "Who is responsible" in text


def test_what_is_not_public_is_not_in_it(client: Client, section: SectionPage, home: HomePage) -> None:
    navigate({"page": section, "title": "Seen", "below": []})
    assert "Seen" in client.get("/").content.decode()
    PageViewRestriction.objects.create(page=section, restriction_type="login")
    assert "Seen" not in client.get("/").content.decode()


def test_it_speaks_the_language_of_the_page(client: Client, home: HomePage, section: SectionPage) -> None:
    navigate({"page": section, "title": "", "below": []})
    german = Locale.objects.get(language_code="de")
    home_de = home.copy_for_translation(german)
    home_de.save_revision().publish()
    other = section.copy_for_translation(german)
    other.title, other.slug = "Stadt", "stadt"
    other.save_revision().publish()
    assert ">Stadt</a>" in client.get(home_de.url).content.decode()


def test_an_entry_that_has_itself_below_is_refused(section: SectionPage) -> None:
    entry = Entry()
    value = entry.to_python({"page": section.pk, "title": "", "below": [{"page": section.pk, "title": ""}]})
    with pytest.raises(ValidationError):
        entry.clean(value)


@pytest.mark.parametrize(("with_page", "url"), [(False, ""), (True, "https://example.org")])
def test_a_button_leads_to_one_place(section: SectionPage, with_page: bool, url: str) -> None:
    block = CallToAction()
    with pytest.raises(ValidationError):
        block.clean(block.to_python({"text": "Go", "page": section.pk if with_page else None, "url": url}))


def test_in_production_the_site_is_where_people_find_it(client: Client, home: HomePage, settings: Settings) -> None:
    settings.PRODUCTION, settings.WAGTAILADMIN_BASE_URL = True, "https://magazine.example.org"
    settle()
    assert '<link rel="canonical" href="https://magazine.example.org/">' in client.get("/").content.decode()
    settings.WAGTAILADMIN_BASE_URL = "https://other.example.org"
    settle()
    assert Site.objects.get().hostname == "magazine.example.org", "whoever has changed it keeps it"


def test_blocks_show_what_they_are(client: Client, home: HomePage, section: SectionPage, write: Write) -> None:
    secret = write(title="Secret")
    PageViewRestriction.objects.create(page=secret, restriction_type="login")
    pages = [section, secret]
    body = [
        ("heading", "What one does not see"),
        ("quote", {"text": "It hums.", "attribution": "A reader"}),
        ("call_to_action", {"text": "Go on", "page": section, "url": ""}),
        ("related_pages", {"title": "", "pages": pages}),
        ("call_to_action", {"text": "A secret", "page": secret, "url": ""}),
    ]
    text = client.get(write(title="All of it", body=body).url).content.decode()
    assert '<h2 id="what-one-does-not-see">' in text
    assert "<blockquote><p>It hums.</p><footer>A reader</footer></blockquote>" in text
    assert f'<a class="button" href="{section.url}">Go on</a>' in text
    assert f'<li><a href="{section.url}">City</a></li>' in text
    assert "Secret" not in text
    assert "A secret" not in text
    assert Page.objects.filter(title="Secret").exists()
