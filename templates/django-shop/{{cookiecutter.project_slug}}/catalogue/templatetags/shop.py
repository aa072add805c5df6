"""What templates ask."""

import json
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from catalogue.models import ProductImage

register = template.Library()
FIRST = 3  # pictures after the first that are seen at once
ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.simple_tag
def picture(image: ProductImage, sizes: str, *, alt: str = "", lazy: int = 0) -> SafeString:
    """A picture in the sizes that there are. `lazy`: how many come before it; others are loaded when they are seen."""
    words = '<img src="{}" srcset="{}" sizes="{}" width="{}" height="{}" alt="{}"{}>'
    later = mark_safe(' loading="lazy"') if lazy > FIRST else ""
    return format_html(words, image.src, image.srcset, sizes, image.width, image.height, alt, later)


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """Data for search engines. No text of a product can end its script."""
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(ESCAPES))  # noqa: S308  escaped in this line
