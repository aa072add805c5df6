"""The server ends, however often it is told to."""

import threading

from config.management.commands.serve import Interrupt


def test_a_signal_in_the_middle_of_another_one_does_not_wait_for_it() -> None:
    interrupt = Interrupt()

    def handle() -> None:
        with interrupt.lock:  # here is whoever was interrupted
            interrupt.set()

    handler = threading.Thread(target=handle, daemon=True)
    handler.start()
    handler.join(10)
    assert not handler.is_alive()
    assert interrupt.wait(0)
