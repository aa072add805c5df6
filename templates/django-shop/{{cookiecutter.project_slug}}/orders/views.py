"""The way from a basket to an order: where to, how, and a last look. Then the order's own page."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from basket import services as baskets
from basket.cookie import find
from config.asked import number
from config.limits import allowed
from config.money import Money
from orders import services
from orders.errors import EmptyBasketError, OrderError
from orders.forms import AddressForm
from orders.models import TOLD, Order, ShippingMethod
from orders.services import Address, Customer
from stock.errors import OutOfStockError

ADDRESS, METHOD = "checkout_address", "checkout_method"
MOST_IN_TEN_MINUTES = 20  # orders from one address: each takes something out of the stock


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def address(request: HttpRequest) -> HttpResponse:
    """Where it goes. Nobody needs an account."""
    if not baskets.contents(find(request)).lines:
        return redirect("basket:show")
    user = user_of(request)
    known = request.session.get(ADDRESS) or (last_address(user) if user else {})
    form = AddressForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        request.session[ADDRESS] = form.cleaned_data
        return redirect("orders:shipping")
    return render(request, "orders/address.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def shipping(request: HttpRequest) -> HttpResponse:
    """How it gets there, and what that costs."""
    contents, customer = baskets.contents(find(request)), customer_of(request)
    if customer is None or not contents.lines:
        return redirect("orders:address")
    methods = services.methods(customer.address.country)
    if request.method == "POST":
        chosen = request.POST.get("method", "")
        if any(str(method.pk) == chosen for method in methods):
            request.session[METHOD] = int(chosen)
            return redirect("orders:review")
    offers = [(method, method.costs(contents.subtotal)) for method in methods]
    context = {"offers": offers, "chosen": request.session.get(METHOD), "customer": customer}
    return render(request, "orders/shipping.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@never_cache
def review(request: HttpRequest) -> HttpResponse:
    """Everything once more, before it counts."""
    return look_once_more(request)


def look_once_more(request: HttpRequest, problem: str = "") -> HttpResponse:
    """The last look; with a sentence about why it could not be ordered."""
    basket, customer, method = find(request), customer_of(request), method_of(request)
    contents = baskets.contents(basket)
    if basket is None or not contents.lines:
        return redirect("basket:show")
    if customer is None or method is None:
        return redirect("orders:shipping" if customer else "orders:address")
    quote = services.quoted(basket, contents, method, customer.address.country)
    context = {"contents": contents, "customer": customer, "method": method, "quote": quote, "problem": problem}
    context["lines"] = list(zip(contents.lines, quote.lines, strict=True))
    return render(request, "orders/review.html", context, status=409 if problem else 200)


@require_POST
@never_cache
def place(request: HttpRequest) -> HttpResponse:
    """Order it, for the total that was shown. Who clicks twice has ordered once."""
    basket, customer, method = find(request), customer_of(request), method_of(request)
    if basket is None or customer is None or method is None:
        return redirect("orders:review")
    if not allowed("orders", request.META["REMOTE_ADDR"], most=MOST_IN_TEN_MINUTES, seconds=600):
        return look_once_more(request, "That were many orders. Please wait ten minutes.")
    expected = Money.of_minor(number(request.POST.get("total", "")), settings.CURRENCY)
    try:
        order = services.place(basket=basket, customer=customer, method=method, expected=expected)
    except EmptyBasketError:
        return redirect(basket.orders.first() or "basket:show")  # of two clicks the second
    except OutOfStockError:
        messages.error(request, "Somebody was faster: there is not enough of what is marked.")
        return redirect("basket:show")
    except OrderError as error:
        return look_once_more(request, str(error))
    return redirect("payments:pay", order.token)


@require_safe
@never_cache
def order(request: HttpRequest, token: str) -> HttpResponse:
    """An order, for whoever has its address."""
    found = get_object_or_404(Order, token=token)
    sums = {name: found.money(getattr(found, name)) for name in ("goods", "shipping", "discount", "tax")}
    events = found.events.filter(kind__in=TOLD)
    return render(
        request, "orders/order.html", {"order": found, "lines": found.lines.all(), "sums": sums, "events": events}
    )


@require_safe
@never_cache
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """Orders of an account, and those that were made with its address before there was one."""
    user: Any = request.user
    found = Order.objects.filter(user=user) | Order.objects.filter(user=None, email=user.email.lower())
    return render(request, "orders/mine.html", {"orders": found[:100]})


def user_of(request: HttpRequest) -> User | None:
    """Who is signed in."""
    return request.user if isinstance(request.user, User) else None


def customer_of(request: HttpRequest) -> Customer | None:
    """Who orders, as was typed into the form before."""
    if not (typed := request.session.get(ADDRESS)):
        return None
    where = Address(**{name: value for name, value in typed.items() if name != "email"})
    return Customer(email=typed["email"], address=where, user=user_of(request))


def method_of(request: HttpRequest) -> ShippingMethod | None:
    """How it gets there, as was chosen before."""
    return ShippingMethod.objects.filter(pk=request.session.get(METHOD, 0), live=True).first()


def last_address(user: User) -> dict[str, str]:
    """Where the last order went."""
    last = Order.objects.filter(user=user).first()
    return {"email": user.email} | (last.address if last else {})
