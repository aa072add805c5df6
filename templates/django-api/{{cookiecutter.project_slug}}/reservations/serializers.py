"""What reservations are in JSON."""

from config.values import Id, Instant, Next, Page, Strict, value
from reservations.models import State

HeldQuantity = value("HeldQuantity", type="integer", minimum=1, maximum=1_000_000)
HeldSeconds = value("HeldSeconds", type="integer", minimum=1, maximum=604_800, default=900)
StateValue = value("StateValue", type="string", enum=State.values)


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
    state = StateValue(source="state_now")
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
