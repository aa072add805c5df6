"""A large tree in seconds: rows, not pages that are saved one by one."""

import uuid

from django.db import connection, transaction
from wagtail.models import Page

from pages.models import ArticleIndexPage, ArticlePage, HomePage

PER_LIST = 100


def grow(total: int) -> None:
    """As many articles, a hundred to a list; the lists lie below the first section."""
    model = ArticlePage.objects.order_by("image", "pk").exclude(slug__startswith="grown-").last()
    section = ArticleIndexPage.objects.order_by("path").first().get_parent()
    number = ArticlePage.objects.filter(slug__startswith="grown-").count()
    while number < total:
        place = ArticleIndexPage(title=f"List {number}", slug=f"list-{number}", locale=section.locale)
        section.add_child(instance=place)
        many = min(PER_LIST, total - number)
        with transaction.atomic():
            rows = [row(model, place, number + each, each + 1) for each in range(many)]
            Page.objects.bulk_create(rows)
            Page.objects.filter(pk=place.pk).update(numchild=many)
            copy_fields(model, place)
        number += many


def row(model: ArticlePage, place: ArticleIndexPage, number: int, step: int) -> Page:
    """A copy of a page, in its place in the tree."""
    slug = f"grown-{number}"
    fields = {field.attname: getattr(model, field.attname) for field in Page._meta.local_concrete_fields}
    for name in ("id", "latest_revision_id", "live_revision_id"):
        fields[name] = None
    fields |= {
        "path": Page._get_path(place.path, place.depth + 1, step),  # noqa: SLF001  treebeard's own way
        "depth": place.depth + 1,
        "numchild": 0,
        "slug": slug,
        "title": f"Grown {number}",
        "draft_title": f"Grown {number}",
        "url_path": f"{place.url_path}{slug}/",
        "translation_key": uuid.uuid4(),
    }
    return Page(**fields)


def copy_fields(model: ArticlePage, place: ArticleIndexPage) -> None:
    """What an article has beside a page, for all pages of a list that lack it."""
    columns = ", ".join(field.column for field in ArticlePage._meta.local_concrete_fields[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO pages_articlepage (page_ptr_id, {columns})
            SELECT page.id, {columns} FROM wagtailcore_page page, pages_articlepage model
            WHERE model.page_ptr_id = %s AND page.path LIKE %s AND page.depth = %s""",  # noqa: S608  our own names
            [model.pk, place.path + "%", place.depth + 1],
        )


def addresses() -> dict[str, str]:
    """A page of each kind whose cost is asked for."""
    article = ArticlePage.objects.filter(slug__startswith="grown-").order_by("pk").last()
    return {
        "home": HomePage.objects.order_by("path").first().url,
        "article": article.url,
        "list": article.get_parent().url,
    }
