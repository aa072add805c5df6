"""Who may what in the shop. Made once, after the tables; what is changed in the admin afterwards stays."""

from fnmatch import fnmatchcase
from typing import Any

from django.contrib.auth.models import Group, Permission

from config import extras

ROLES = {
    "Catalogue": ["catalogue.*", "stock.view_*", "stock.change_level", "stock.correct_level"],
    "Fulfilment": ["orders.view_order*", "orders.ship_order", "orders.return_order",
        "stock.view_*", "stock.correct_level"],
    "Finance": ["orders.view_order*", "orders.cancel_order", "orders.*_taxrate", "orders.*_shippingmethod",
        "payments.view_payment", "payments.view_refund", "payments.view_webhookevent",
        "payments.capture_payment", "payments.refund_payment"],
    "Support": ["orders.view_order*", "orders.cancel_order", "payments.view_payment", "accounts.view_user"],
}  # fmt: skip


def make(**_: Any) -> None:
    """Groups that are not there yet, with what they may."""
    for name, own in ROLES.items():
        patterns = own + [pattern for role, pattern in extras.ROLES if role == name]
        group, new = Group.objects.get_or_create(name=name)
        for each in Permission.objects.select_related("content_type") if new else ():
            if any(fnmatchcase(f"{each.content_type.app_label}.{each.codename}", pattern) for pattern in patterns):
                group.permissions.add(each)
