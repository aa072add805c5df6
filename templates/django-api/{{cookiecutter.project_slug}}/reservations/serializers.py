"""What reservations are in JSON."""

from config.values import Id, Instant, Next, Page, Strict, value
from reservations.models import State

HeldQuantity = value("HeldQuantity", type="integer", minimum=1, maximum=1_000_000)
HeldSeconds = value("HeldSeconds", type="integer", minimum=1, maximum=604_800, default=900)
StateValue = value("StateValue", type="string", enum=State.values)


class NewReservation(Strict):
    """What is to be put aside, and for how many seconds."""

    product_id = Id()
    quantity = HeldQuantity()
    expires_in = HeldSeconds()


class ReservationRead(Strict):
    """A reservation and its state now."""

    id = Id()
    product_id = Id()
    quantity = HeldQuantity()
    state = StateValue(source="state_now")
    expires_at = Instant()
    created_at = Instant()


class ReservationPage(Strict):
    """A page of reservations."""

    items = ReservationRead(many=True)
    next = Next()


class ReservationQuery(Page):
    """Which reservations."""

    state = StateValue(required=False)
    product_id = Id(required=False)
