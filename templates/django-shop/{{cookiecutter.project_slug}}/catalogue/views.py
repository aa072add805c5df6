"""The shelves, and what lies on them."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalogue import services
from catalogue.models import Category, Product, Variant
from catalogue.services import ORDERS, Wanted
from config.asked import number, wants_a_part


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is new, and the shelves."""
    found = services.find(Wanted())
    return render(request, "catalogue/home.html", {"found": found, "products": found.products[:8]})


@require_safe
def category(request: HttpRequest, path: str) -> HttpResponse:
    """A shelf, with what is on the shelves below it."""
    here = get_object_or_404(Category, path=f"{path}/")
    return listing(request, here, {"category": here, "way": here.way()})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Everything in which the words are."""
    return listing(request, None, {"way": []})


def listing(request: HttpRequest, here: Category | None, context: dict[str, Any]) -> HttpResponse:
    """What somebody wants to see of it, as the address says."""
    asked = request.GET
    wanted = Wanted(
        text=asked.get("q", "").replace("\x00", "").strip(),
        category=here,
        least=services.price(asked.get("least", "")),
        most=services.price(asked.get("most", "")),
        available=asked.get("available") == "on",
        order=asked.get("order", "") if asked.get("order", "") in ORDERS else "new",
        page=max(number(asked.get("page", "")), 1),
    )
    chosen = {name: asked[name] for name in ("q", "least", "most", "available", "order") if asked.get(name)}
    context |= {"found": services.find(wanted), "wanted": wanted, "chosen": chosen}
    context["next"] = f"?{urlencode(chosen | {'page': wanted.page + 1})}"
    template = "catalogue/list.html"
    return render(request, f"{template}#more" if wants_a_part(request) else template, context)


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """A product, with what one can choose. What is not sold any more says so, and stays where it was."""
    variants = Variant.objects.filter(live=True).select_related("level", "product")
    with_variants = services.with_pictures(Product.objects.select_related("category")).prefetch_related(
        Prefetch("variants", variants, to_attr="choices")
    )
    here: Any = get_object_or_404(with_variants, slug=slug)
    choices = here.choices if here.live else []
    context = {
        "product": here,
        "choices": choices,
        "available": any(variant.level.available for variant in choices),
        "way": here.category.way(),
        "data": services.json_ld(
            here, choices, request.build_absolute_uri(), request.build_absolute_uri("/").rstrip("/")
        ),
    }
    return render(request, "catalogue/product.html", context)
