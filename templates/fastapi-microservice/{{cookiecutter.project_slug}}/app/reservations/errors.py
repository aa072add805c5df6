"""What can go wrong with reservations."""

from app.problems import Problem


class ReservationClosed(Problem):
    """The reservation is confirmed, cancelled or expired already."""

    status = 409
