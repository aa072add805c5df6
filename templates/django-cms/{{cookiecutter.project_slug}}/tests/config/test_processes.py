"""Several processes on one host: two that serve, and a command that publishes."""

import re
import threading
import urllib.request

from tests.processes import Processes

ARTICLE = "/city/rivers/stories/number/"


def test_after_publishing_no_process_shows_an_older_page(processes: Processes) -> None:
    """Twenty people ask two servers, while a third process publishes what was scheduled."""
    published, seen, wrong = [0], set[int](), list[tuple[int, int]]()
    done = threading.Event()

    def ask(address: str) -> None:
        while not done.is_set():
            before = published[0]
            with urllib.request.urlopen(address + ARTICLE, timeout=30) as answer:
                number = int(re.search(r"<h1>Number (\d+)</h1>", answer.read().decode())[1])  # type: ignore[index]
            seen.add(number)
            if number < before:
                wrong.append((number, before))

    with processes.serve() as one, processes.serve() as other:
        threads = [threading.Thread(target=ask, args=[address]) for address in [one, other] * 10]
        for thread in threads:
            thread.start()
        for number in (1, 2):
            processes.run("shell", "-v0", "-c", f"from tests.site import schedule; schedule('Number {number}')")
            processes.run("publish_scheduled")
            published[0] = number
            done.wait(1)
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert seen == {0, 1, 2}
