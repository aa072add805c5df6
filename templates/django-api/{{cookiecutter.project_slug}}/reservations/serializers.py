"""What reservations are in JSON."""

from typing import Any

from config.api import instant
from config.values import Id, Instant, Next, Page, Strict, value
from reservations.models import Reservation, State

STATES = [each.value for each in State]
HeldQuantity = value("HeldQuantity", type="integer", minimum=1, maximum=1_000_000)
HeldSeconds = value("HeldSeconds", type="integer", minimum=1, maximum=604_800, default=900)
StateValue = value("StateValue", type="string", enum=STATES)


class NewItem(Strict):
    """So many of a product."""

    product_id = Id()
    quantity = HeldQuantity()


class NewReservation(NewItem):
    """What is to be put aside, and for how many seconds."""

    expires_in = HeldSeconds()


class NewReservations(Strict):
    """Several at once."""

    items = NewItem(many=True, min_length=1, max_length=100)  # type: ignore[call-arg]  # the list takes them
    expires_in = HeldSeconds()


class ReservationRead(Strict):
    """A reservation and its state now."""

    id = Id()
    product_id = Id()
    quantity = HeldQuantity()
    state = StateValue()
    expires_at = Instant()
    created_at = Instant()


class Reservations(Strict):
    """Several, in the order in which they were asked for."""

    items = ReservationRead(many=True)


class ReservationPage(Reservations):
    """A page of reservations."""

    next = Next()


class ReservationQuery(Page):
    """Which reservations."""

    state = StateValue(required=False)
    product_id = Id(required=False)


def reservation_json(reservation: Reservation) -> dict[str, Any]:
    """A reservation as it is sent."""
    return {
        "id": reservation.pk,
        "product_id": reservation.product_id,
        "quantity": reservation.quantity,
        "state": str(reservation.state_at()),
        "expires_at": instant(reservation.expires_at),
        "created_at": instant(reservation.created_at),
    }
