"""Where money and messages about it are looked at. What is done with them is done on the order's page."""

from django.contrib import admin

from config.desk import ReadOnlyAdmin, ReadOnlyInline, in_currency
from payments.models import Payment, Refund, WebhookEvent

AMOUNTS = [in_currency(name) for name in ("amount", "captured", "refunded")]


class RefundInline(ReadOnlyInline):
    """What goes back."""

    model = Refund
    fields = readonly_fields = ["at", in_currency("amount"), "reason", "status", "by", "reference"]


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Payments."""

    list_display = ["reference", "order", "status", *AMOUNTS, "started_at"]
    list_filter = ["status", "provider"]
    list_select_related = ["order"]
    search_fields = ["reference", "order__number"]
    inlines = [RefundInline]


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    """What providers have told."""

    list_display = ["received_at", "kind", "id", "processed_at", "attempts", "error"]
    list_filter = ["kind"]
    search_fields = ["id"]
