"""What is killed again and again: publishes numbers until it is killed. Run by `manage.py shell` inside the project."""

from itertools import count

from wagtail.models import Page

from pages.models import ArticlePage


def publish() -> None:
    """Each number is printed when it is published: from then on nobody may see a smaller one."""
    article = ArticlePage.objects.get(slug="number")
    for number in count(int(article.title.split()[1]) + 1):
        article = ArticlePage.objects.get(pk=article.pk)
        article.title = f"Number {number}"
        article.save_revision().publish()
        print(number, flush=True)


def whole() -> None:
    """Raises AssertionError when the tree or an article is half written."""
    assert Page.find_problems() == ([], [], [], [], []), Page.find_problems()
    article = ArticlePage.objects.get(slug="number")
    revision = article.live_revision
    assert revision is None or revision.content["title"] == article.title, (article.title, revision.content["title"])
    print(ArticlePage.objects.count())
