"""Inbox: orders that others placed, taken from stock exactly once."""

from app.extras import Extra
from app.inbox import models as _models  # noqa: F401  its table

extra = Extra(commands="app.inbox.commands")
