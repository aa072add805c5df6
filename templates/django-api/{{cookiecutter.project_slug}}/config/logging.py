"""One line per request, without query strings; JSON in production. The id of a request is in its answer too."""

import logging
import logging.config
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import reduce
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

logger = logging.getLogger("access")
SECRET = ("key", "token")  # parts of an address that open something
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Name each request, and write down how it went."""

    def answer(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        token = request_id.set(name := uuid.uuid4().hex)
        try:
            response = get_response(request)
            response["X-Request-ID"] = name
            took = round((time.perf_counter() - started) * 1000, 1)
            path = without_secrets(request)
            about = {"method": request.method, "path": path, "status": response.status_code, "ms": took}
            logger.info("%s %s %s", request.method, path, response.status_code, extra=about)
        finally:
            request_id.reset(token)
        return response

    return answer


def without_secrets(request: HttpRequest) -> str:
    """The path, but for what opens something: whoever reads the log is not to use it."""
    return masked(request.path)


def masked(path: str) -> str:
    """The same of any path, also where it was answered before anybody has looked what it is."""
    for each in (path, f"{path}/"):
        with suppress(Resolver404, UnicodeError):
            found = resolve(each).kwargs
            return reduce(lambda said, name: said.replace(str(found.get(name) or "\0"), "…"), SECRET, path)
    return path


class WithRequestId(logging.Filter):
    """Adds the id of the request during which something was said, and takes away the request that Django adds."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        vars(record).pop("request", None)  # in JSON it would be its whole address, with the query
        if record.name.startswith("django") and isinstance(record.args, tuple):  # they name addresses, too
            record.args = tuple(masked(arg) if isinstance(arg, str) and arg[:1] == "/" else arg for arg in record.args)
        return True


def configure(options: dict[str, Any]) -> None:
    """Django calls it with settings.LOGGING."""
    formatter: dict[str, Any] = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    if options["json"]:
        fields = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s"
        formatter = {"()": "pythonjsonlogger.json.JsonFormatter", "fmt": fields, "rename_fields": {"asctime": "time"}}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "filters": {"request_id": {"()": WithRequestId}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
            "root": {"handlers": ["out"], "level": "WARNING"},
            # Django's own handler goes: by it a line would come twice in development.
            "loggers": {"django": {"level": "WARNING"}}
            | {name: {"level": options["level"]} for name in options["ours"]},
        }
    )
