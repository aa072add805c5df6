"""Who may see what: everybody what is public, and what is private only those whom its restriction names."""

from typing import Any

from django.db.models import Q
from wagtail.models import PageViewRestriction

from config.pagecache import remembered


@remembered
def restricted_paths() -> tuple[str, ...]:
    """Where private parts of the tree begin."""
    return tuple(PageViewRestriction.objects.values_list("page__path", flat=True))


def is_public(path: str) -> bool:
    """Whether neither the page at this place of the tree nor one above it is private."""
    return not path.startswith(restricted_paths())


def for_everybody(pages: Any) -> Any:
    """Those of some pages that every visitor may see: Wagtail's `live().public()`, without a query for the second."""
    private = Q()
    for path in restricted_paths():
        private |= Q(path__startswith=path)
    return pages.live().exclude(private) if private else pages.live()
