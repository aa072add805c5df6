"""How a process ends without failing a request (SIGTERM, as a deploy sends it).

uvicorn closes idle connections at once, and a request that is just on its way in one of them is lost. So for a moment
the process goes on as before, but closes each connection after its answer: callers come back by a new one, which the
load balancer gives to somebody else. Then uvicorn does the rest.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def draining(seconds: float) -> Iterator[Callable[[], bool]]:
    """Put off SIGTERM for so long. Yields what tells whether it has come."""
    told = False
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: False
        return
    loop = asyncio.get_running_loop()

    def wait(number: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        loop.call_soon_threadsafe(loop.call_later, seconds, before, number, frame)

    signal.signal(signal.SIGTERM, wait)
    try:
        yield lambda: told
    finally:
        signal.signal(signal.SIGTERM, before)
