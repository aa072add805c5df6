"""What several reservations are in JSON."""

from config.values import Id, Strict
from reservations.serializers import HeldQuantity, HeldSeconds, ReservationRead


class NewItem(Strict):
    """So many of a product."""

    product_id = Id()
    quantity = HeldQuantity()


class NewReservations(Strict):
    """Several at once."""

    items = NewItem(many=True, min_length=1, max_length=100)  # type: ignore[call-arg]  # the list takes them
    expires_in = HeldSeconds()


class Reservations(Strict):
    """Several, in the order in which they were asked for."""

    items = ReservationRead(many=True)
