"""A site to be served by processes: people, and a place three levels deep. For `manage.py shell`, not for tests."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils import timezone
from wagtail.models import Site

from accounts.models import User
from pages.models import ArticleIndexPage, ArticlePage, SectionPage, StandardPage
from website.models import SiteSettings

PASSWORD = "correct horse battery"
TEXT = [("text", "<p>Water finds its way.</p>")]


def build() -> None:
    """Three people; City, in it Rivers, in it Stories with an article; and a page of text."""
    for name, group in {"editor": "Editors", "moderator": "Moderators"}.items():
        person = User.objects.create_user(f"{name}@example.org", PASSWORD, first_name=name.capitalize())
        person.groups.add(Group.objects.get(name=group))
    User.objects.create_superuser("admin@example.org", PASSWORD, first_name="Admin")
    home = Site.objects.get().root_page.specific
    home.introduction = "Water, and who lives by it."
    home.save_revision().publish()
    place = home
    for page in (SectionPage(title="City"), SectionPage(title="Rivers"), ArticleIndexPage(title="Stories")):
        place.add_child(instance=page)
        place = page
    home.add_child(instance=StandardPage(title="About us", body=TEXT))
    write(place, "Number 0")
    navigation: SiteSettings = SiteSettings.for_site(Site.objects.get())
    section = SectionPage.objects.get(slug="city")
    entry = {"page": section, "title": "", "below": [{"page": place, "title": ""}]}
    navigation.navigation = [("entry", entry)]
    navigation.footer = [("link", {"page": StandardPage.objects.get(), "title": ""})]
    navigation.save()


def write(place: ArticleIndexPage, title: str) -> None:
    article = ArticlePage(title=title, slug="number", author="Jonas Vey", introduction="It hums.", body=TEXT)
    place.add_child(instance=article)


def schedule(title: str) -> None:
    """A new version of the article, to be published a minute ago."""
    article = ArticlePage.objects.get(slug="number")
    article.title, article.go_live_at = title, timezone.now() - timedelta(minutes=1)
    article.save_revision(approved_go_live_at=article.go_live_at)
