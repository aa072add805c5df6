"""What a coupon refuses."""

from orders.errors import OrderError


class CouponError(OrderError):
    """It cannot be used, or not for this order. The text says why, for the customer."""
