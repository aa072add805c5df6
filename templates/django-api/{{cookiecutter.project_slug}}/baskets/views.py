"""Several reservations over HTTP."""

from accounts.callers import WRITE
from baskets import services
from baskets.serializers import NewReservations, Reservations
from config.api import Answer, View, answer, operation
from reservations.serializers import ReservationRead


class Bulk(View):
    """Several at once."""

    tag = "reservations"

    @operation(
        "holdMany", "Put several products aside, all of them or none.", scope=WRITE,
        takes=NewReservations, gives=Reservations, status=201, once=True, tagged=False,
    )  # fmt: skip
    def post(self) -> Answer:
        made = services.hold_many(by=self.caller.subject, **self.given)
        return answer({"items": ReservationRead(made, many=True).data}, 201, tagged=False)
