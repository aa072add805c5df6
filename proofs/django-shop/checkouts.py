"""Checkouts as fast as they go, by so many customers at once. Prints JSON.

`python checkouts.py <clients> <hot|many> <seconds>` in the project's folder: placed, seconds, CPU of this process.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from basket.models import Basket, Line  # noqa: E402
from catalogue.models import Variant  # noqa: E402
from django.db import connection, connections  # noqa: E402
from orders import services  # noqa: E402
from tests.shelf import CUSTOMER, make_ways, total_of  # noqa: E402

CLIENTS, HOT, SECONDS = int(sys.argv[1]), sys.argv[2] == "hot", float(sys.argv[3])
method = make_ways()
Variant.objects.update(price=20)  # one total for all of them
variants = list(Variant.objects.order_by("pk").select_related("product")[: 1 if HOT else 500])
placed = [0] * CLIENTS
queries = [0]


def filled(number: int) -> Basket:
    """A basket with two pieces of one thing."""
    basket = Basket.objects.create()
    variant = variants[number % len(variants)]
    Line.objects.create(basket=basket, variant=variant, quantity=2, price_seen=variant.price)
    return basket


def counted(execute: object, *arguments: object) -> object:
    queries[0] += 1
    return execute(*arguments)  # type: ignore[operator]


expected = total_of(filled(0), method)
warm = filled(1)
with connection.execute_wrapper(counted):
    services.place(basket=warm, customer=CUSTOMER, method=method, expected=expected)
stock = [[filled(client * 7919 + number) for number in range(int(60 * SECONDS))] for client in range(CLIENTS)]
start, until = threading.Barrier(CLIENTS + 1), [0.0]


def buy(client: int) -> None:
    """Order one basket after the other."""
    connection.ensure_connection()
    start.wait()
    for basket in stock[client]:
        if time.monotonic() > until[0]:
            break
        services.place(basket=basket, customer=CUSTOMER, method=method, expected=expected)
        placed[client] += 1
    connections.close_all()


threads = [threading.Thread(target=buy, args=[client]) for client in range(CLIENTS)]
for thread in threads:
    thread.start()
until[0] = time.monotonic() + SECONDS
before, began = time.process_time(), time.monotonic()
start.wait()
for thread in threads:
    thread.join()
took, used = time.monotonic() - began, time.process_time() - before
print(json.dumps({"placed": sum(placed), "seconds": took, "cpu": used, "queries": queries[0]}))
