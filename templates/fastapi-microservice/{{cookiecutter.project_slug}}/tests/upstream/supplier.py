"""A supplier for tests, on a port: it answers, fails, hangs or talks nonsense, as it is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Double:
    """What it does, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.body = b'{"expected_at": "2026-12-24T08:00:00Z"}'
        self.failures = 0  # so many questions are answered with 500 first
        self.status = 200
        self.seconds = 0.0  # before each answer
        self.busy = self.busiest = 0


@contextmanager
def supplier() -> Iterator[Double]:
    """One, until the block ends."""
    double, lock = Double(), threading.Lock()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                double.asked.append(self.path)
                double.busy += 1
                double.busiest = max(double.busiest, double.busy)
                fails = double.failures > 0
                double.failures -= fails
            time.sleep(double.seconds)
            with lock:
                double.busy -= 1
            self.send_response(500 if fails else double.status)
            self.send_header("Content-Length", str(len(double.body)))
            self.end_headers()
            self.wfile.write(double.body)

        def log_message(self, *_: object) -> None:
            """The tests say what was asked."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Who asked has gone: that is what some tests are about."""

    server = Server(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_port}"
    yield double
    server.shutdown()
    server.server_close()
    thread.join()
