"""Where one types a code, at the last look."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from basket import services as baskets
from basket.cookie import find
from config.limits import allowed
from coupons import services
from coupons.errors import CouponError

GUESSES = 10  # in ten minutes, of one address


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Put a coupon to the basket, or take it off again."""
    basket = find(request)
    if basket is None:
        return redirect("basket:show")
    if "off" in request.POST:
        services.take_off(basket=basket)
    elif not allowed("coupons", request.META["REMOTE_ADDR"], most=GUESSES, seconds=600):
        messages.error(request, "Those were many codes. Please wait ten minutes.")
    else:
        try:
            goods = baskets.contents(basket).subtotal
            coupon = services.choose(basket=basket, code=request.POST.get("code", "").replace("\x00", ""), goods=goods)
            messages.success(request, f"{coupon.value} off, by {coupon}.")
        except CouponError as error:
            messages.error(request, str(error))
    return redirect("orders:review")
