"""What one may ask of one's reservations."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_filters import CharFilter, FilterSet, NumberFilter

from reservations.models import State


class ReservationFilter(FilterSet):
    """Which of them."""

    state = CharFilter(method="in_state")
    product_id = NumberFilter()

    def in_state(self, reservations: Any, _name: str, state: str) -> Any:
        """Those that are in this state now: what is held is expired when its time is over."""
        over = Q(state=State.HELD, expires_at__lte=timezone.now())
        match state:
            case State.HELD:
                return reservations.filter(state=state).exclude(over)
            case State.EXPIRED:
                return reservations.filter(Q(state=state) | over)
        return reservations.filter(state=state)
