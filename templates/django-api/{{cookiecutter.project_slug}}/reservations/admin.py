"""Reservations at the desk."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from config.desk import ReadOnlyAdmin, staff
from reservations import services
from reservations.filters import in_state
from reservations.models import Reservation, State


class StateNow(admin.SimpleListFilter):
    """By the state at this moment, as the list shows it."""

    title = parameter_name = "state"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        return State.choices

    def queryset(self, _request: HttpRequest, reservations: Any) -> Any:
        return in_state(reservations, state) if (state := self.value()) else reservations


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """What is put aside. Staff can cancel for somebody; the rest is between holders and the API."""

    list_display = ["created_at", "product", "quantity", "holder", "now", "expires_at"]
    list_filter = [StateNow]
    list_select_related = ["product"]
    search_fields = ["holder", "product__sku"]
    actions = ["cancel"]

    @admin.display(description="state")
    def now(self, reservation: Reservation) -> str:
        """As it is at this moment."""
        return State(reservation.state_now).value

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("reservations.change_reservation"))

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, chosen: Any) -> None:
        """Give back what is still held. Each is told when it is done; the first that is refused ends it."""
        for reservation in chosen:
            services.cancel(reservation_id=reservation.pk, by=staff(request), for_holder=reservation.holder)
            messages.success(request, f"{reservation} for {reservation.holder}: it is cancelled.")
