"""The basket's pages. Each works without scripts; with htmx only the part that changes is sent."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from basket import services
from basket.cookie import find, find_or_make
from basket.errors import QuantityError
from catalogue.models import Variant
from config.asked import number, wants_a_part
from stock.errors import OutOfStockError


@require_safe
@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """What is in it."""
    return page(request)


def page(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    """The basket; with a sentence about what could not be done."""
    basket = find(request)
    context = {"contents": services.contents(basket), "problem": problem}
    template = "basket/basket.html#lines" if wants_a_part(request) else "basket/basket.html"
    return render(request, template, context, status=status)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put something in."""
    variant = get_object_or_404(Variant.objects.select_related("product"), pk=number(request.POST.get("variant", "")))
    try:
        line = services.add(
            basket=find_or_make(request), variant=variant, quantity=number(request.POST.get("quantity", "1"))
        )
    except (QuantityError, OutOfStockError) as error:
        messages.error(request, sentence(error, variant))
        return redirect(variant.product)
    messages.success(request, f"{line.quantity} × {variant} in your basket.")
    return redirect("basket:show")


@require_POST
def change(request: HttpRequest, variant: int) -> HttpResponse:
    """So many of it, or none."""
    basket = find(request)
    found = get_object_or_404(Variant.objects.select_related("product"), pk=variant)
    if basket is None:
        return redirect("basket:show")
    try:
        services.change(basket=basket, variant=found, quantity=number(request.POST.get("quantity", "")))
    except (QuantityError, OutOfStockError) as error:
        return page(request, sentence(error, found), 422)
    return page(request) if wants_a_part(request) else redirect("basket:show")


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """The customer has read that prices have changed."""
    if basket := find(request):
        services.seen(basket)
    return redirect("basket:show")


def sentence(error: Exception, variant: Variant) -> str:
    """What went wrong, to the customer."""
    if isinstance(error, OutOfStockError):
        there = error.lacking.get(variant.pk, 0)
        return f"Of {variant} there are only {there}." if there else f"{variant} is sold out."
    return str(error)
