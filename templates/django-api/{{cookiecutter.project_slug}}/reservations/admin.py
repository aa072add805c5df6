"""Reservations at the desk."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action

from config.desk import ReadOnlyAdmin, staff
from config.problems import Problem
from reservations import services
from reservations.models import Reservation


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """What is put aside. Staff can cancel for somebody; the rest is between holders and the API."""

    list_display = ["created_at", "product", "quantity", "holder", "now", "expires_at"]
    list_filter = ["state"]
    list_select_related = ["product"]
    search_fields = ["holder", "product__sku"]
    actions_detail = ["cancel"]

    @admin.display(description="state")
    def now(self, reservation: Reservation) -> str:
        """As it is at this moment."""
        return str(reservation.state_at())

    def has_cancel_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        return bool(request.user.has_perm("reservations.change_reservation"))

    @action(description="Cancel", permissions=["cancel"], url_path="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give it back, if it is still held."""
        reservation = Reservation.objects.get(pk=object_id)
        try:
            services.cancel(reservation_id=reservation.pk, by=staff(request), for_holder=reservation.holder)
            messages.success(request, "It is cancelled.")
        except Problem as problem:
            messages.error(request, problem.detail)
        return redirect("admin:reservations_reservation_change", object_id)
