"""The bodies of reservations."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.contract import Body, Id

HeldQuantity = Annotated[int, Field(ge=1, le=1_000_000)]
HeldSeconds = Annotated[int, Field(ge=1, le=7 * 24 * 60 * 60)]
State = Literal["held", "confirmed", "cancelled", "expired"]


class NewReservation(Body):
    """What is to be put aside, and for how many seconds."""

    product_id: Id
    quantity: HeldQuantity
    expires_in: HeldSeconds = 900


class ReservationBody(Body):
    """A reservation and its state now."""

    model_config = ConfigDict(title="Reservation", from_attributes=True)

    id: Id
    product_id: Id
    quantity: HeldQuantity
    state: State
    expires_at: datetime
    created_at: datetime
