"""The CPU of a request without a server: one application, called in this process as often as asked for.

`python probe.py django_app /hello` reads numbers from its input and prints, for each, the microseconds of CPU that a
request took on the average of so many.
"""

import asyncio
import gc
import io
import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import count
from typing import Any

Application = Any  # as WSGI and ASGI have it

MODULE, ADDRESS = sys.argv[1:]
IDENTITY = count()


def address() -> str:
    """Another row each time."""
    return ADDRESS.replace("{id}", str(next(IDENTITY) % 1000 + 1))


def wsgi(application: Application) -> Callable[[], None]:
    def call() -> None:
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": address(),
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_ACCEPT": "*/*",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        answer = application(environ, lambda status, _headers: said.append(status))
        b"".join(answer)
        answer.close()
        assert said[0].startswith("200"), said

    return call


async def asgi(application: Application, state: dict[str, Any], times: int) -> None:
    for _ in range(times):
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any], said: list[dict[str, Any]] = said) -> None:
            said.append(message)

        path = address()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(state),
        }
        await application(scope, receive, send)
        assert said[0]["status"] == 200, said


async def of_asgi(application: Application) -> None:
    """An application on a loop, within its lifespan."""
    state: dict[str, Any] = {}
    async with application.router.lifespan_context(application) as made:
        state |= made or {}
        await asgi(application, state, 50)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            times = int(line)
            gc.collect()
            before = time.process_time()
            await asgi(application, state, times)
            print((time.process_time() - before) / times * 1e6, flush=True)


def of_wsgi(application: Application) -> None:
    call = wsgi(application)
    for _ in range(50):
        call()
    for line in sys.stdin:
        gc.collect()
        before = time.process_time()
        for _ in range(int(line)):
            call()
        print((time.process_time() - before) / int(line) * 1e6, flush=True)


module = import_module(MODULE)
if hasattr(module, "application"):
    of_wsgi(module.application)
else:
    import uvloop

    uvloop.run(of_asgi(module.app))
