"""Many in the same moment, each with a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections


def together[Result](do: Callable[[int], Result], many: int) -> list[Result]:
    """What each of so many threads returned, by its number. Raises the first exception that one of them raised."""
    start = threading.Barrier(many)

    def run(number: int) -> Result:
        start.wait()
        try:
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(run, range(many)))
