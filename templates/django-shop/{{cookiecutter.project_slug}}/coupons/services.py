"""What may happen with a coupon. `offer` and `redeem` are what the orders ask for (`config/extras.py`)."""

from django.db import transaction
from django.db.models import F, Q

from basket import services as baskets
from basket.models import Basket
from config.money import Money
from coupons.errors import CouponError
from coupons.models import PREFIX, Chosen, Coupon, Redemption
from orders.models import Kind, Order, OrderEvent


@transaction.atomic
def choose(*, basket: Basket, code: str, goods: Money) -> Coupon:
    """Put it to a basket. Raises CouponError, which never tells whether there is such a code that cannot be used."""
    baskets.locked(basket)  # what somebody is ordering with has been chosen before, or is after
    coupon = Coupon.objects.filter(code=code.strip().upper()[:30]).first()
    if coupon is None or not coupon.holds_for(Money(max(goods.amount, coupon.from_value), goods.currency)):
        raise CouponError("There is no such coupon, or it cannot be used any more.")
    if not coupon.holds_for(goods):
        raise CouponError(f"{coupon} is for {Money(coupon.from_value, goods.currency)} and more.")
    Chosen.objects.update_or_create(basket=basket, defaults={"coupon": coupon})
    return coupon


@transaction.atomic
def take_off(*, basket: Basket) -> None:
    """Without a coupon."""
    baskets.locked(basket)
    Chosen.objects.filter(basket=basket).delete()


def offer(basket: Basket, subtotal: Money, goods: Money) -> tuple[str, Money] | None:
    """What the coupon of a basket takes off now."""
    chosen = Chosen.objects.filter(basket=basket).select_related("coupon").first()
    if chosen is None or not chosen.coupon.holds_for(subtotal):
        return None
    return chosen.coupon.title, chosen.coupon.off(goods)


@transaction.atomic
def redeem(basket: Basket, order: Order) -> None:
    """Use it up for an order, in whose transaction this is. Raises CouponError when others were faster.

    One UPDATE asks and counts at once; whoever comes second waits for its end, and then counts the customer's orders.
    """
    if not order.discount_name.startswith(PREFIX):
        return  # it does not hold any more, or something else has lowered the price
    chosen = Chosen.objects.filter(basket=basket).select_related("coupon").first()
    if chosen is None or order.discount_name != chosen.coupon.title:
        raise CouponError("The coupon was changed in this moment. Look at it once more.")
    coupon = chosen.coupon
    free = Coupon.objects.filter(Q(most=None) | Q(used__lt=F("most")), pk=coupon.pk, live=True)
    if not free.update(used=F("used") + 1):
        raise CouponError(f"{coupon} was used up by others at this moment.")
    same = Q(order__email=order.email) | Q(order__user=order.user_id, order__user__isnull=False)
    theirs = Redemption.objects.filter(same, coupon=coupon, held=True).count()
    if coupon.most_each is not None and theirs >= coupon.most_each:
        raise CouponError(f"You have used {coupon} already. Take it off, and order without it.")
    Redemption.objects.create(coupon=coupon, order=order)
    chosen.delete()


def carry_over(source: Basket, into: Basket) -> None:
    """Who signs in keeps what was typed before."""
    for chosen in Chosen.objects.filter(basket=source):
        Chosen.objects.update_or_create(basket=into, defaults={"coupon": chosen.coupon})


def follow(event: OrderEvent) -> None:
    """An order that is not paid for, or cancelled, gives its coupon back; one that is paid late takes it again.

    Promised is promised: the latter even when others have used it up meanwhile.
    """
    holds, more = (True, 1) if event.kind == Kind.PAID else (False, -1)
    if event.kind in (Kind.EXPIRED, Kind.CANCELLED, Kind.PAID):
        used = Redemption.objects.filter(order=event.order, held=not holds)
        for redemption in used.select_for_update():
            Coupon.objects.filter(pk=redemption.coupon_id).update(used=F("used") + more)
            Redemption.objects.filter(pk=redemption.pk).update(held=holds)
