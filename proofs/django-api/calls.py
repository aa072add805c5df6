"""The CPU of requests, without a server around them: a WSGI application called in this process. Prints JSON.

`python calls.py <module>` in a project's folder, with the requests as JSON on standard input: a list of
{name, method, path, headers, body}; `{n}` in a path, a header or a body is another number each time.
{name: [milliseconds of CPU, statements, bytes, status]}.
"""

import gc
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

ROUNDS, CALLS = 9, 40
NUMBERS = count(int(time.time() * 1000))

sys.path.insert(0, str(Path.cwd()))
sys.path.insert(0, str(Path(__file__).parent / "peers"))
application = import_module(sys.argv[1]).application


def call(asked: dict[str, Any]) -> tuple[int, int]:
    """Ask once; the status and the bytes of the answer."""
    number = str(next(NUMBERS))
    path, _, query = asked["path"].replace("{n}", number).partition("?")
    body = json.dumps(asked["body"]).replace("{n}", number).encode() if "body" in asked else b""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": asked["method"],
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ACCEPT": "*/*",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in asked.get("headers", {}).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value.replace("{n}", number)
    answer = application(environ, lambda status, _headers: said.append(status))
    size = sum(map(len, answer))
    if close := getattr(answer, "close", None):
        close()
    return int(said[0].split()[0]), size


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often the database is asked within the block."""
    asked = [0]
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        yield asked
        return
    from django.db import connection  # noqa: PLC0415  not before the settings are there

    def count_it(execute: Any, *arguments: Any) -> Any:  # noqa: ANN401  as Django's wrappers are
        asked[0] += 1
        return execute(*arguments)

    with connection.execute_wrapper(count_it):
        yield asked


found = {}
for asked in json.load(sys.stdin):
    for _ in range(5):
        status, size = call(asked)
    best = []
    for _ in range(ROUNDS):
        gc.collect()
        before = time.process_time()
        for _ in range(CALLS):
            call(asked)
        best.append((time.process_time() - before) / CALLS * 1000)
    with counted() as statements:
        call(asked)
    found[asked["name"]] = [min(best), statements[0], size, status]
print(json.dumps(found))
