"""The extras: features that an API may not want. To be without one, delete its lines here and its folders."""

from importlib.util import find_spec
from typing import Any

from django.utils.module_loading import import_string

# Applications, for settings.py. An extra may have `urls.py`; commands and migrations are where Django looks.
APPS: list[str] = [
    "apikeys",  # keys for programs, in place of tokens
    "baskets",  # several products put aside at once
    "jwks",  # tokens that somebody else makes
    "reporting",  # a report that takes long: 202, and a worker
]
# Who says whose a token is. The last one does, for each token: none is to find its way past it by how it is written.
TOKENS: list[str] = [
    "accounts.tokens.caller_of",
    "jwks.services.caller_of",  # jwks
]
# What is no token, and may stand after `Bearer`: by how it begins, the function that says whose it is.
CREDENTIALS: dict[str, str] = {
    "stock_": "apikeys.services.caller_of",  # apikeys
}
# Functions that `housekeeping` calls as well; each says how much it has done.
BY_THE_CLOCK: list[str] = [
    "reporting.services.forget_old",  # reporting
]


def caller_of(said: str) -> Any:
    """Whose token it is, or whose of what is none."""
    judges = [name for begin, name in CREDENTIALS.items() if said.startswith(begin)]
    return import_string((judges or TOKENS)[-1])(said)


def urls() -> list[str]:
    """The modules of the extras that have addresses."""
    return [f"{name}.urls" for name in APPS if find_spec(f"{name}.urls")]
