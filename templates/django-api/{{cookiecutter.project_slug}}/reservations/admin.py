"""Reservations at the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from config.desk import ReadOnlyAdmin, Words, act, staff
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

        def do(reservation: Reservation) -> str:
            services.cancel(reservation_id=reservation.pk, by=staff(request), for_holder=reservation.holder)
            return "It is cancelled."

        words = Words("Cancel", "What was put aside can be had again, by anybody.")
        return act(self, request, object_id, words, do)
