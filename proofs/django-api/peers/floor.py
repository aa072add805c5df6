"""The least that a list, a read, a create and a hold can cost: a bare WSGI application and psycopg. No rules at all."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

CONNECTION = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
COLUMNS = "id, sku, name, on_hand, reserved, on_hand - reserved, created_at::text, updated_at::text"
NAMES = ["id", "sku", "name", "on_hand", "reserved", "available", "created_at", "updated_at"]
NEW = (
    "INSERT INTO plain_product (sku, name, on_hand, reserved, created_at, updated_at) "
    "VALUES (%s, %s, 0, 0, now(), now())"
)
TAKE = "UPDATE plain_product SET reserved = reserved + %s WHERE id = %s AND on_hand - reserved >= %s"
KEEP = (
    "INSERT INTO plain_reservation (product_id, holder, quantity, created_at) VALUES (%s, 'x', %s, now()) RETURNING id"
)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What is asked is believed."""
    path, status = environ["PATH_INFO"], "200 OK"
    found: Any
    if environ["REQUEST_METHOD"] == "POST":
        sent, status = json.loads(environ["wsgi.input"].read()), "201 Created"
        if path.endswith("products"):
            row = CONNECTION.execute(f"{NEW} RETURNING {COLUMNS}", [sent["sku"], sent["name"]]).fetchone()
            found = dict(zip(NAMES, row or (), strict=True))
        else:
            product, many = sent["product"], sent["quantity"]
            with CONNECTION.transaction():
                CONNECTION.execute(TAKE, [many, product, many])
                (row,) = CONNECTION.execute(KEEP, [product, many])
            found = {"id": row[0], "product": product, "quantity": many}
    elif path.endswith("products"):
        rows = CONNECTION.execute(f"SELECT {COLUMNS} FROM plain_product ORDER BY id DESC LIMIT 51")  # noqa: S608  ours
        found = {"items": [dict(zip(NAMES, row, strict=True)) for row in rows.fetchmany(50)]}
    else:
        one = f"SELECT {COLUMNS} FROM plain_product WHERE id = %s"  # noqa: S608  ours
        row = CONNECTION.execute(one, [path.rpartition("/")[2]]).fetchone()
        found = dict(zip(NAMES, row or (), strict=True))
    body = json.dumps(found).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
