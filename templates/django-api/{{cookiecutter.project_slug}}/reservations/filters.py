"""What one may ask of one's reservations."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_filters import CharFilter, FilterSet, NumberFilter

from reservations.models import State


def in_state(reservations: Any, state: str) -> Any:
    """Those that are in this state now: what is held is expired when its time is over."""
    over = Q(state=State.HELD, expires_at__lte=timezone.now())
    match state:
        case State.HELD:
            return reservations.filter(state=state).exclude(over)
        case State.EXPIRED:
            return reservations.filter(Q(state=state) | over)
    return reservations.filter(state=state)


class ReservationFilter(FilterSet):
    """Which of them."""

    state = CharFilter(method="now")
    product_id = NumberFilter()

    def now(self, reservations: Any, _name: str, state: str) -> Any:
        return in_state(reservations, state)
