"""What the log keeps to itself."""

import logging

from django.test import RequestFactory
from pythonjsonlogger.json import JsonFormatter

from config.logging import WithRequestId


def test_djangos_own_lines_have_no_query_in_json() -> None:
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Not Found: %s", ("/nothing",), None)
    record.request = RequestFactory().get("/nothing?access_token=rosebud")
    assert WithRequestId().filter(record)
    line = JsonFormatter().format(record)
    assert "Not Found: /nothing" in line
    assert "rosebud" not in line
