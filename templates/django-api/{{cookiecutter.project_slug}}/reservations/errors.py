"""What a reservation refuses."""

from config.problems import Problem


class Closed(Problem):
    """It is confirmed, cancelled or expired already."""

    status = 409
    slug = "reservation-closed"
    title = "The reservation is closed"
