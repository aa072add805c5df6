"""The CPU of a request, without a server around it: the WSGI application called in this process. Prints JSON.

`python cost.py <module> <path> …` in a project's folder: {path: [milliseconds of CPU,
queries, bytes, status, milliseconds with those of the database]}.
"""

import gc
import io
import json
import sys
import time
from importlib import import_module
from itertools import count
from pathlib import Path

ROUNDS, CALLS = 7, 30
CALLER = count()

sys.path.insert(0, str(Path.cwd()))
began = time.process_time()
application = import_module(sys.argv[1]).application


def call(path: str) -> tuple[int, int]:
    """Ask once; the status and the bytes of the answer."""
    path, _, query = path.partition("?")
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_FOR": f"2001:db8:{next(CALLER):x}::1",  # somebody else each time
        "HTTP_HOST": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    answer = application(environ, lambda status, _headers: said.append(status))
    size = sum(map(len, answer))
    answer.close()
    return int(said[0].split()[0]), size


def queries(path: str) -> int:
    """How often the database was asked."""
    from django.db import connection  # noqa: PLC0415  not before the settings are there

    asked = 0

    def counted(execute: object, *arguments: object) -> object:
        nonlocal asked
        asked += 1
        return execute(*arguments)  # type: ignore[operator]

    connection.ensure_connection()
    with connection.execute_wrapper(counted):
        call(path)
    return asked


found = {}
call("/")
started = time.process_time() - began
for path in sys.argv[2:]:
    for _ in range(3):
        status, size = call(path)
    best, walls = [], []
    for _ in range(ROUNDS):
        gc.collect()
        before, began = time.process_time(), time.perf_counter()
        for _ in range(CALLS):
            call(path)
        best.append((time.process_time() - before) / CALLS * 1000)
        walls.append((time.perf_counter() - began) / CALLS * 1000)
    found[path] = [min(best), queries(path), size, status, min(walls)]
found["start"] = [started * 1000, 0, 0, 0, 0]
print(json.dumps(found))
