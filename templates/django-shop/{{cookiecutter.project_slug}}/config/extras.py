"""The extras: features that a shop may not want. To be without one, delete its lines here and its folders."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

# Applications, for settings.py. An extra may have `urls.py`; commands, templates and migrations are where Django looks.
APPS: list[str] = []
# Modules that lower what a basket costs: `offer(basket, goods)` gives a name and an amount, or None; `redeem(basket,
# order)` is called in the transaction in which the order is placed, and raises OrderError to refuse it.
DISCOUNTS: list[str] = []


def discounts() -> list[ModuleType]:
    """The modules that lower what a basket costs."""
    return [import_module(name) for name in DISCOUNTS]


def urls() -> list[str]:
    """The modules of the extras that have addresses."""
    return [f"{name}.urls" for name in APPS if find_spec(f"{name}.urls")]
