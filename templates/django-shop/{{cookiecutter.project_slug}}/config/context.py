"""What is on every page."""

from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest

from basket.cookie import find
from catalogue.models import Category


def shop(request: HttpRequest) -> dict[str, Any]:
    """The name of the shop, its first shelves, and how much is in the basket. Asked when the page shows it."""

    def in_basket() -> int:
        basket = find(request)
        return (basket.lines.aggregate(many=Sum("quantity"))["many"] or 0) if basket else 0

    return {
        "shop_name": settings.SHOP_NAME,
        "shelves": lambda: Category.objects.filter(parent=None),
        "in_basket": in_basket,
    }
