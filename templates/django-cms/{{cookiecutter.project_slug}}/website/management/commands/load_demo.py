"""A magazine in two languages, to look at and to try things out on. Run again, it changes nothing."""

import io
import math
import random
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.files.images import ImageFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify
from PIL import Image, ImageDraw, ImageFilter
from wagtail.models import Locale, Page, Site

from media.models import CustomImage
from pages.models import ArticleIndexPage, ArticlePage, HomePage, SectionPage, StandardPage
from website import demo
from website.models import SiteSettings

FIRST_DAY = date(2026, 3, 1)
PALETTES = (("#12263f", "#f4a259", "#f4e3c1"), ("#3d405b", "#e07a5f", "#f2cc8f"), ("#264653", "#2a9d8f", "#e9c46a"))


class Command(BaseCommand):
    help = __doc__ or ""

    @transaction.atomic
    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("load_demo is not for production: it would publish made-up articles.")
        site = Site.objects.get(is_default_site=True)
        home: HomePage = site.root_page.specific
        english, german = Locale.objects.get(language_code="en"), Locale.objects.get(language_code="de")
        if home.get_children().exists():
            self.stdout.write("There are pages already; nothing was changed.")
            return
        home.introduction = demo.STANDFIRST[0]
        home.save_revision().publish()
        made = fill(home, 0)
        home_de = home.copy_for_translation(german)
        home_de.title, home_de.introduction = "Magazin", demo.STANDFIRST[1]
        home_de.save_revision().publish()
        for page, translated in list(made):
            copy = page.copy_for_translation(german)
            for name, value in translated.items():
                setattr(copy, name, value)
            copy.slug = slugify(copy.title)
            copy.save_revision().publish()
        navigate(site, home, english)
        self.stdout.write(f"{Page.objects.filter(depth__gt=1).count()} pages, {CustomImage.objects.count()} images.")


def fill(home: HomePage, language: int) -> list[tuple[Any, dict[str, Any]]]:
    """The pages below the first one, each with what its translation will say."""
    made: list[tuple[Any, dict[str, Any]]] = []

    def add(parent: Page, kind: type[Any], title: demo.Text, **fields: Any) -> Any:
        here = {name: value[language] if isinstance(value, tuple) else value for name, value in fields.items()}
        page = kind(title=title[language], slug=slugify(title[language]), locale=parent.locale, **here)
        parent.add_child(instance=page)
        page.save_revision().publish()
        there = {name: value[1 - language] for name, value in fields.items() if isinstance(value, tuple)}
        made.append((page, {"title": title[1 - language], **there}))
        return page

    number = 0
    for section in demo.SECTIONS:
        above = add(home, SectionPage, section["title"], introduction=section["introduction"])
        stories = add(above, ArticleIndexPage, demo.STORIES, introduction=section["introduction"])
        for title, author, tags in section["articles"]:
            image = draw(title[language], number)
            article = add(
                stories,
                ArticlePage,
                title,
                date=FIRST_DAY + timedelta(days=9 * number),
                author=author,
                introduction=tuple(map(flat, demo.PARAGRAPHS[number % 3])),
                image=image,
                image_alt="A drawing of hills, water and a low sun",
                body=(body(number, 0), body(number, 1)),
            )
            article.tags.add(*tags)
            article.save_revision().publish()
            number += 1
    add(home, StandardPage, demo.ABOUT, body=(body(0, 0), body(0, 1)))
    add(home, StandardPage, demo.SUBSCRIBE, body=(body(1, 0), body(1, 1)))
    return made


def flat(text: str) -> str:
    """A text without the line ends of its source."""
    return " ".join(text.split())


def body(number: int, language: int) -> list[tuple[str, Any]]:
    """A text of a few blocks."""
    first, second, third = (flat(demo.PARAGRAPHS[(number + each) % 3][language]) for each in range(3))
    heading = ("What one does not see", "Was man nicht sieht")[language]
    return [
        ("text", f"<p>{first}</p><p>{second}</p>"),
        ("quote", {"text": demo.QUOTE[language], "attribution": "Ilse Brandt"}),
        ("heading", heading),
        ("text", f"<p>{third}</p>"),
    ]


def navigate(site: Site, home: HomePage, _locale: Locale) -> None:
    """Sections with their lists in the navigation, pages of text in the footer."""
    settings_ = SiteSettings.for_site(site)
    sections = SectionPage.objects.child_of(home)
    settings_.navigation = [
        (
            "entry",
            {"page": section, "title": "", "below": [{"page": page, "title": ""} for page in section.get_children()]},
        )
        for section in sections
    ]
    settings_.footer = [("link", {"page": page, "title": ""}) for page in StandardPage.objects.child_of(home)]
    settings_.social = [("address", {"name": "Mastodon", "url": "https://mastodon.example/@magazine"})]
    settings_.imprint = "A made-up magazine. Its stories are too."
    settings_.save()


def draw(title: str, number: int) -> CustomImage:
    """Hills, water and a sun, the same for the same number."""
    chance = random.Random(number)  # noqa: S311  a picture, no secret
    dark, warm, light = PALETTES[number % len(PALETTES)]
    width, height = 1600, 1000
    picture = Image.new("RGB", (width, height), light)
    pen = ImageDraw.Draw(picture)
    x, y, radius = chance.randint(300, 1300), chance.randint(200, 420), chance.randint(70, 130)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=warm)
    for layer in range(4):
        base = 430 + layer * 130
        waves = [(chance.uniform(0.002, 0.006), chance.uniform(0, 6), chance.randint(20, 90)) for _ in range(3)]
        line = [(i, base + sum(a * math.sin(i * f + p) for f, p, a in waves)) for i in range(0, width + 20, 20)]
        mixed = Image.blend(Image.new("RGB", (1, 1), warm), Image.new("RGB", (1, 1), dark), (layer + 1) / 4).getpixel(
            (0, 0)
        )
        pen.polygon([(0, height), *line, (width, height)], fill=mixed)
    file = io.BytesIO()
    picture.filter(ImageFilter.SMOOTH).save(file, "JPEG", quality=88)
    made = ImageFile(file, name=f"{slugify(title)}.jpg")
    image: CustomImage = CustomImage.objects.create(title=title, credit="Drawn by the demo", file=made)
    return image
