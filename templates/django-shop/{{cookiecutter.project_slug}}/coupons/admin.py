"""Where coupons are made."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from config.desk import ReadOnlyAdmin
from coupons.models import Coupon, Redemption


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    """Where they were used: a list of its own, since one coupon can have thousands."""

    list_display = ["coupon", "order", "held"]
    list_filter = ["held"]
    list_select_related = ["coupon", "order"]
    search_fields = ["=coupon__code", "=order__number", "=order__email"]


@admin.register(Coupon)
class CouponAdmin(ModelAdmin):
    """Coupons. How often one was used is counted, not typed."""

    list_display = ["code", "value", "used", "most", "begins", "ends", "live"]
    list_filter = ["live"]
    search_fields = ["code"]

    def has_delete_permission(self, request: HttpRequest, obj: Coupon | None = None) -> bool:
        """What was used stays: take it back by *can be used*."""
        return not (obj and obj.used) and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Coupon, form: object, change: bool) -> None:
        """Never how often it was used: that may have changed since this page was asked for."""
        if change:
            editable = [field.name for field in obj._meta.fields if field.editable and not field.primary_key]
            obj.save(update_fields=editable)
        else:
            super().save_model(request, obj, form, change)
