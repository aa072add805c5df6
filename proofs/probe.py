"""The CPU of a request without a server: an application, called in this process as often as asked for.

`python probe.py <module>` in a project's folder. It reads lines of JSON, `{"times": 100, "method": "GET", "path": "/",
"headers": {…}, "body": …, "right": 200}`, and prints for each the microseconds of CPU that a request took on the
average of so many, and how many statements a request sent to the database. In a path, a header or a body `{n}` is
another number each time, and `{row}` one of 1 to 1000.
"""

import asyncio
import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

Application = Any  # as WSGI and ASGI have it
NUMBER = count(time.time_ns() // 1000 % 10**12)
ASKED = [0]  # statements
sys.path.insert(0, str(Path.cwd()))


def filled(text: str) -> str:
    """With what is another each time."""
    number = next(NUMBER)
    return text.replace("{n}", str(number)).replace("{row}", str(number % 1000 + 1))


def made(task: dict[str, Any]) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """The path, the query, the headers and the body of one request."""
    path, _, query = filled(task["path"]).partition("?")
    body = filled(json.dumps(task["body"])).encode() if task.get("body") is not None else b""
    headers = [("host", "127.0.0.1"), ("accept", "*/*")]
    headers += [(name.lower(), filled(value)) for name, value in task.get("headers", {}).items()]
    if body:
        headers += [("content-type", "application/json"), ("content-length", str(len(body)))]
    return path, query, headers, body


def of_wsgi(application: Application) -> Callable[[dict[str, Any]], None]:
    """What calls it once."""

    def call(task: dict[str, Any]) -> None:
        path, query, headers, body = made(task)
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": task["method"],
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
        } | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
        if body:
            environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        answer = application(environ, lambda status, _headers: said.append(status))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        assert said[0].startswith(str(task.get("right", 200))), (said, content)

    return call


async def once(application: Application, state: dict[str, Any], task: dict[str, Any]) -> None:
    """Call it once."""
    path, query, headers, body = made(task)
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": task["method"],
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": dict(state),
    }
    await application(scope, receive, send)
    assert said[0]["status"] == task.get("right", 200), said


def tell(began: float, asked: int, times: int) -> None:
    print(json.dumps([(time.process_time() - began) / times * 1e6, (ASKED[0] - asked) / times]), flush=True)


async def serve(application: Application) -> None:
    """Measure an application of ASGI within its lifespan."""
    state: dict[str, Any] = {}
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    began, ended = asyncio.Event(), asyncio.Event()

    async def said(message: dict[str, Any]) -> None:
        assert message["type"] in ("lifespan.startup.complete", "lifespan.shutdown.complete"), message
        (began if "startup" in message["type"] else ended).set()

    heard.put_nowait({"type": "lifespan.startup"})
    living = asyncio.create_task(
        application({"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}, heard.get, said)
    )
    await asyncio.wait([living, asyncio.create_task(began.wait())], return_when=asyncio.FIRST_COMPLETED)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = json.loads(line)
        for _ in range(20):
            await once(application, state, task)
        gc.collect()
        started, asked = time.process_time(), ASKED[0]
        for _ in range(task["times"]):
            await once(application, state, task)
        tell(started, asked, task["times"])


def count_statements() -> None:
    """Of Django and of SQLAlchemy, as far as they are there."""
    if "django" in sys.modules and os.environ.get("DATABASE_URL"):
        from django.db import connection  # noqa: PLC0415  not before the settings are there

        def counted(execute: Callable[..., object], *arguments: object) -> object:
            ASKED[0] += 1
            return execute(*arguments)

        connection.execute_wrappers.append(counted)
    if "sqlalchemy" in sys.modules:
        from sqlalchemy import Engine, event  # noqa: PLC0415  not everybody has it

        def sent(*about: Any) -> None:  # noqa: ANN401  as SQLAlchemy calls it
            ASKED[0] += not about[2].startswith("BEGIN")  # Django's are sent by the driver, and not counted either

        event.listen(Engine, "before_cursor_execute", sent)


def main() -> None:
    module = import_module(sys.argv[1])
    count_statements()
    if hasattr(module, "application"):
        call = of_wsgi(module.application)
        for line in sys.stdin:
            task = json.loads(line)
            for _ in range(20):
                call(task)
            gc.collect()
            started, asked = time.process_time(), ASKED[0]
            for _ in range(task["times"]):
                call(task)
            tell(started, asked, task["times"])
    else:
        import uvloop  # noqa: PLC0415  Django's project has none

        uvloop.run(serve(module.app))


if __name__ == "__main__":
    main()
