"""The extras: features that a shop may not want. To be without one, delete its lines here and its folders."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.utils.module_loading import import_string

# Applications, for settings.py. An extra may have `urls.py`; commands, templates and migrations are where Django looks.
APPS: list[str] = [
    "coupons",  # codes that lower what one pays
    "importer",  # products from a file
    "invoices",  # a numbered PDF for each order that is paid
    "privacy",  # what is held about a person: all of it in a file, and none of it any more
    "showcase",  # `load_demo`: sixty things of a made-up shop
]
# Modules that lower what a basket costs: `offer(basket, subtotal, goods)` gives a name and an amount, or None;
# `redeem(basket, order)` is called in the transaction in which the order is placed, and raises OrderError to refuse it.
DISCOUNTS: list[str] = [
    "coupons.services",  # coupons
]
# Templates on pages of the core: at the last look (`review`), on an order (`order`), below one's orders (`mine`).
PARTS: list[tuple[str, str]] = [
    ("review", "coupons/review.html"),  # coupons
    ("order", "invoices/order.html"),  # invoices
    ("mine", "privacy/link.html"),  # privacy
]
# What groups may besides what `roles.py` says.
ROLES: list[tuple[str, str]] = [
    ("Catalogue", "importer.*"),  # importer
    ("Finance", "coupons.*"),  # coupons
    ("Finance", "invoices.view_invoice"),  # invoices
    ("Support", "invoices.view_invoice"),  # invoices
]
# Functions that `housekeeping` calls as well; each says how much it has done.
BY_THE_CLOCK: list[str] = [
    "importer.services.carry_out_left",  # importer
    "invoices.services.issue_left",  # invoices
]
# Functions that write down what an order still lacks, before a person's name is taken off it.
BEFORE_ERASING: list[str] = [
    "invoices.services.bring_up_to_date",  # invoices
]


def discounts() -> list[ModuleType]:
    """The modules that lower what a basket costs."""
    return [import_module(name) for name in DISCOUNTS]


def parts() -> dict[str, list[str]]:
    """The templates of each place."""
    return {place: [template for its, template in PARTS if its == place] for place, _ in PARTS}


def by_the_clock() -> dict[str, Callable[[], int]]:
    """The functions of the extras for `housekeeping`."""
    return {name: import_string(name) for name in BY_THE_CLOCK}


def urls() -> list[str]:
    """The modules of the extras that have addresses."""
    return [f"{name}.urls" for name in APPS if find_spec(f"{name}.urls")]
