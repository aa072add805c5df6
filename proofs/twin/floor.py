"""The least that a list, a read, a create and a hold can cost: psycopg below bare WSGI and bare ASGI.

No framework, no token, no checks, and the same rows. TABLE is the table of products. `application` is WSGI;
floor_async.py has the same as ASGI.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg.rows import dict_row

TABLE = os.environ["TABLE"]
LIST = f"SELECT id, sku, name, on_hand, reserved FROM {TABLE} ORDER BY id DESC LIMIT 51"  # noqa: S608  our own
READ = f"SELECT id, sku, name, on_hand, reserved FROM {TABLE} WHERE id = %s"  # noqa: S608
CREATE = f"""INSERT INTO {TABLE} (sku, name, on_hand, reserved, created_at, updated_at)
VALUES (%s, %s, 0, 0, now(), now()) RETURNING id, sku, name, on_hand, reserved"""  # noqa: S608
HOLD = f"""UPDATE {TABLE} SET reserved = reserved + %s WHERE id = %s AND on_hand - reserved >= %s
RETURNING id, sku, name, on_hand, reserved"""  # noqa: S608


def asked(method: str, path: str, body: bytes) -> tuple[str, list[object], int]:
    """The statement, what goes into it, and the status of its answer."""
    if method == "POST" and path.endswith("/products"):
        new = json.loads(body)
        return CREATE, [new["sku"], new["name"]], 201
    if method == "POST":
        held = json.loads(body)
        return HOLD, [held["quantity"], held["product_id"], held["quantity"]], 201
    tail = path.rpartition("/")[2]
    return (READ, [int(tail)], 200) if tail.isdigit() else (LIST, [], 200)


CONNECTIONS: list[psycopg.Connection[dict[str, Any]]] = []


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """One thread, one connection."""
    if not CONNECTIONS:
        CONNECTIONS.append(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    statement, values, status = asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
    rows = CONNECTIONS[0].execute(statement, values).fetchall()
    content = json.dumps(rows).encode()
    start(f"{status} OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
