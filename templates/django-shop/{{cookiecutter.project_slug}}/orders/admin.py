"""Where orders are worked on: ship, take back, cancel, and give money back."""

from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from config.desk import ReadOnlyAdmin, ReadOnlyInline, act, in_currency, may, subject
from orders import services
from orders.errors import OrderError
from orders.models import Order, OrderEvent, OrderLine, ShippingMethod, TaxRate
from orders.states import Status
from payments import services as payments
from payments.errors import PaymentError
from payments.models import Payment

COLOURS = {
    Status.PENDING: "warning", Status.PAID: "info", Status.SHIPPED: "success",
    Status.RETURNED: "danger", Status.CANCELLED: "danger", Status.EXPIRED: "danger",
}  # fmt: skip


class ShipForm(forms.Form):
    """What the customer can follow."""

    tracking = forms.CharField(label="Number of the parcel", max_length=80, required=False)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=200)


class RefundForm(ReasonForm):
    """How much, and why."""

    amount = forms.DecimalField(
        min_value=Decimal("0.001"), max_digits=14, decimal_places=3, help_text="What is left is filled in."
    )
    field_order = ["amount", "reason"]


class TakeBackForm(forms.Form):
    """How many of each line came back."""

    again = forms.BooleanField(label="They can be sold again", required=False, initial=True)

    def __init__(self, *args: Any, order: Order, **more: Any) -> None:
        super().__init__(*args, **more)
        for line in order.lines.all():
            most = line.quantity - line.returned
            self.fields[f"line{line.pk}"] = forms.IntegerField(
                label=f"{line.name}: of {most}", min_value=0, initial=0, max_value=most
            )
        self.order_fields([*(name for name in self.fields if name != "again"), "again"])


class LineInline(ReadOnlyInline):
    """What was ordered."""

    model = OrderLine
    fields = readonly_fields = [
        "sku", "name", "quantity", "returned", in_currency("unit_price"), "tax_rate", in_currency("total"),
    ]  # fmt: skip


class EventInline(ReadOnlyInline):
    """What happened."""

    model = OrderEvent
    fields = readonly_fields = ["at", "kind", "note", "by"]


class PaymentInline(ReadOnlyInline):
    """The money."""

    model = Payment
    fields = readonly_fields = [
        "provider",
        "reference",
        "status",
        *map(in_currency, ("amount", "captured", "refunded")),
    ]


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders. Nothing of one is edited: something is done with it, and that is written down."""

    list_display = ["number", "state", "email", "to_pay", "placed_at"]
    list_filter = ["status", "placed_at"]
    search_fields = ["number", "email", "tracking"]
    fields = readonly_fields = [
        "number", "status", "placed_at", "email", "delivery", "tracking",
        *map(in_currency, ("goods", "shipping", "discount", "tax", "total")),
    ]  # fmt: skip
    inlines = [LineInline, PaymentInline, EventInline]
    refusals = (OrderError, PaymentError)
    actions_detail = ["ship", "take_back", "cancel", "refund", "capture"]
    has_ship_permission = may("orders.ship_order")
    has_take_back_permission = may("orders.return_order")
    has_cancel_permission = may("orders.cancel_order")
    has_refund_permission = may("payments.refund_payment")
    has_capture_permission = may("payments.capture_payment")

    @display(description="state", label=COLOURS, ordering="status")
    def state(self, order: Order) -> tuple[str, str]:
        """In its colour."""
        return order.status, order.get_status_display()

    @admin.display(description="goes to")
    def delivery(self, order: Order) -> str:
        """As on the parcel."""
        return ", ".join([*order.address_lines, f"by {order.shipping_name}"])

    @action(description="Ship", permissions=["ship"], url_path="ship")
    def ship(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It is on its way."""
        order: Order = subject(self, request, object_id)

        def do(filled: dict[str, Any]) -> str:
            services.ship(order, tracking=filled["tracking"], by=request.user)  # type: ignore[arg-type]
            return f"Order {order} is on its way, and the customer hears of it."

        return act(self, request, order, f"Ship order {order}", ask=ShipForm, do=do)

    @action(description="Take back", permissions=["take_back"], url_path="take-back")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Something of it was sent back."""
        order: Order = subject(self, request, object_id)

        def do(filled: dict[str, Any]) -> str:
            many = {int(name[4:]): value for name, value in filled.items() if name.startswith("line")}
            services.take_back(order, quantities=many, again=filled["again"], by=request.user)  # type: ignore[arg-type]
            return "Taken back. Money goes back by Refund."

        return act(self, request, order, f"Take back from order {order}", ask=partial(TakeBackForm, order=order), do=do)

    @action(description="Cancel", permissions=["cancel"], url_path="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It will not be sent. Whoever gives money back with it needs the right for that, too."""
        order: Order = subject(self, request, object_id)
        if order.status == Status.PAID and not request.user.has_perm("payments.refund_payment"):
            raise PermissionDenied

        def do(filled: dict[str, Any]) -> str:
            payments.cancel(order, by=request.user, note=filled["reason"])  # type: ignore[arg-type]
            return f"Order {order} is cancelled. What was paid goes back."

        return act(self, request, order, f"Cancel order {order}", ask=ReasonForm, do=do)

    @action(description="Refund", permissions=["refund"], url_path="refund")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Money goes back: what is left of it, or less."""
        order: Order = subject(self, request, object_id)
        payment = order.payments.filter(captured__gt=F("refunded")).first()

        def do(filled: dict[str, Any]) -> str:
            if payment is None:
                raise PaymentError("Nothing was received for this order.")
            amount = order.money(filled["amount"])
            payments.refund(payment=payment, amount=amount, reason=filled["reason"], by=request.user)  # type: ignore[arg-type]
            return f"{amount} go back."

        form = partial(RefundForm, initial={"amount": payment.left.amount if payment else 0})
        return act(self, request, order, f"Give money back for order {order}", ask=form, do=do)

    @action(description="Capture", permissions=["capture"], url_path="capture")
    def capture(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Receive what is held on the card."""
        order: Order = subject(self, request, object_id)

        def do(_filled: dict[str, Any]) -> str:
            payment = order.payments.filter(status="authorised", to_void=False).first()
            if payment is None:
                raise PaymentError("Nothing is held on a card for this order.")
            payments.capture(payment)
            return f"{order.to_pay} received."

        return act(self, request, order, f"Capture {order.to_pay} for order {order}", ask=forms.Form, do=do)


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    """Taxes; orders that were placed keep theirs."""

    list_display = ["country", "tax_class", "percent"]
    list_filter = ["country"]


@admin.register(ShippingMethod)
class ShippingMethodAdmin(ModelAdmin):
    """Ways to get there."""

    list_display = ["name", "countries", "price", "free_from", "live"]
