"""What is on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from basket.cookie import find
from catalogue.models import Category
from config import extras


def shop(request: HttpRequest) -> dict[str, Any]:
    """The name of the shop, its first shelves, and how much is in the basket. Asked when the page shows it."""

    return {
        "shop_name": settings.SHOP_NAME,
        "shelves": lambda: Category.objects.filter(parent=None),
        "in_basket": lambda: getattr(find(request), "in_it", 0) or 0,
        "parts": extras.parts(),
    }
