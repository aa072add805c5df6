"""Reservations over HTTP."""

from django.urls import reverse

from accounts.callers import READ, WRITE
from config.api import LOCATION, Answer, View, answer, operation
from config.cursors import page
from config.values import Id
from reservations import services
from reservations.filters import ReservationFilter
from reservations.models import Reservation
from reservations.serializers import (
    NewReservation,
    ReservationPage,
    ReservationQuery,
    ReservationRead,
)  # fmt: skip
from stock.views import filtered, which


class All(View):
    """The caller's own."""

    tag = "reservations"

    @operation(
        "listReservations", "The caller's own, newest first.", scope=READ, gives=ReservationPage, query=ReservationQuery
    )
    def get(self) -> Answer:
        mine = Reservation.objects.filter(holder=self.caller.subject)
        items, following = page(
            filtered(ReservationFilter, mine, self.asked),
            of=which(f"{self.request.path} {self.caller.subject}", self.asked),
            asked=self.asked,
        )
        return answer({"items": ReservationRead(items, many=True).data, "next": following})

    @operation(
        "holdStock", "Put some of a product aside, for a while.", scope=WRITE,
        takes=NewReservation, gives=ReservationRead, status=201, once=True, headers={"Location": LOCATION},
    )  # fmt: skip
    def post(self) -> Answer:
        reservation = services.hold(by=self.caller.subject, **self.given)
        return answer(ReservationRead(reservation).data, 201, Location=reverse("reservation", args=[reservation.pk]))


class One(View):
    """One of the caller's own."""

    tag = "reservations"
    named = {"reservation_id": Id}

    @operation("readReservation", "A reservation and its state now.", scope=READ, gives=ReservationRead)
    def get(self, reservation_id: int) -> Answer:
        return answer(ReservationRead(services.mine(reservation_id, self.caller.subject)).data)


class Confirm(View):
    """Its good end."""

    tag = "reservations"
    named = {"reservation_id": Id}

    @operation(
        "confirmReservation",
        "What was put aside goes out, by a movement that is issued for it. There is no body.",
        scope=WRITE, gives=ReservationRead, once=True,
    )  # fmt: skip
    def post(self, reservation_id: int) -> Answer:
        reservation = services.confirm(reservation_id=reservation_id, by=self.caller.subject)
        return answer(ReservationRead(reservation).data)


class Cancel(View):
    """Its other end."""

    tag = "reservations"
    named = {"reservation_id": Id}

    @operation(
        "cancelReservation", "What was put aside can be had again. There is no body.",
        scope=WRITE, gives=ReservationRead, once=True,
    )  # fmt: skip
    def post(self, reservation_id: int) -> Answer:
        reservation = services.cancel(reservation_id=reservation_id, by=self.caller.subject)
        return answer(ReservationRead(reservation).data)
