"""Who may what in the shop. Made once, after the tables; what is changed in the admin afterwards stays."""

from typing import Any

from django.contrib.auth.models import Group, Permission

LOOK_AT_ORDERS = ["orders.view_order", "orders.view_orderline", "orders.view_orderevent"]
ROLES: dict[str, list[str]] = {
    "Catalogue": [
        *(f"catalogue.{may}_{what}" for what in ("category", "product", "variant", "productimage") for may in (
            "add", "change", "delete", "view"
        )),
        "stock.view_level", "stock.change_level", "stock.view_movement", "stock.correct_level",
    ],
    "Fulfilment": [
        *LOOK_AT_ORDERS, "orders.ship_order", "orders.return_order",
        "stock.view_level", "stock.view_movement", "stock.correct_level",
    ],
    "Finance": [
        *LOOK_AT_ORDERS, "orders.cancel_order",
        "payments.view_payment", "payments.view_refund", "payments.view_webhookevent",
        "payments.capture_payment", "payments.refund_payment",
        *(f"orders.{may}_{what}" for what in ("taxrate", "shippingmethod") for may in ("add", "change", "view")),
    ],
    "Support": [*LOOK_AT_ORDERS, "orders.cancel_order", "payments.view_payment", "accounts.view_user"],
}  # fmt: skip


def make(**_: Any) -> None:
    """Groups that are not there yet, with what they may."""
    for name, allowed in ROLES.items():
        group, new = Group.objects.get_or_create(name=name)
        if new:
            every = Permission.objects.select_related("content_type")
            found = [each for each in every if f"{each.content_type.app_label}.{each.codename}" in allowed]
            group.permissions.set(found)
