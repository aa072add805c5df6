"""The floor: raw psycopg below a bare ASGI server. The same SQL, and nothing else: no token, no checks, no contract."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

READ = """
SELECT id, sku, name, on_hand, created_at, updated_at,
  reserved - late AS reserved, on_hand - reserved + late AS available
FROM products, LATERAL (
  SELECT coalesce(sum(quantity), 0)::bigint AS late FROM reservations
  WHERE product_id = products.id AND state = 'held' AND expires_at <= %s
) AS overdue
"""
CREATE = """
INSERT INTO products (sku, name, on_hand, reserved, created_at, updated_at) VALUES (%s, %s, 0, 0, %s, %s)
RETURNING id, sku, name, on_hand, reserved, created_at, updated_at
"""
TAKE = "UPDATE products SET reserved = reserved + %s WHERE id = %s AND on_hand - reserved >= %s"
HOLD = """
INSERT INTO reservations (product_id, holder, quantity, state, expires_at, created_at)
VALUES (%s, 'floor', %s, 'held', %s, %s) RETURNING id, product_id, quantity, state, expires_at, created_at
"""
AUTOCOMMIT = AsyncConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=10,
    max_size=10,
    open=False,
    kwargs={"autocommit": True, "row_factory": dict_row},
)
WITHIN = AsyncConnectionPool(
    os.environ["DATABASE_URL"], min_size=10, max_size=10, open=False, kwargs={"row_factory": dict_row}
)


async def read(path: str, _body: bytes) -> Any:  # noqa: ANN401
    """One product."""
    async with AUTOCOMMIT.connection() as connection:
        cursor = await connection.execute(f"{READ} WHERE id = %s", (datetime.now(UTC), int(path.rpartition("/")[2])))
        return await cursor.fetchone()


async def list_(_path: str, _body: bytes) -> Any:  # noqa: ANN401
    """The newest 50."""
    async with AUTOCOMMIT.connection() as connection:
        cursor = await connection.execute(f"{READ} ORDER BY id DESC LIMIT 51", (datetime.now(UTC),))
        return {"items": (await cursor.fetchall())[:50], "next": "x"}


async def create(_path: str, body: bytes) -> Any:  # noqa: ANN401
    """A product."""
    given, moment = json.loads(body), datetime.now(UTC)
    async with WITHIN.connection() as connection:
        cursor = await connection.execute(CREATE, (given["sku"], given["name"], moment, moment))
        return await cursor.fetchone()


async def hold(_path: str, body: bytes) -> Any:  # noqa: ANN401
    """Some of a product."""
    given, moment = json.loads(body), datetime.now(UTC)
    async with WITHIN.connection() as connection:
        product, quantity = given["product_id"], given["quantity"]
        if (await connection.execute(TAKE, (quantity, product, quantity))).rowcount:
            cursor = await connection.execute(HOLD, (product, quantity, moment + timedelta(minutes=15), moment))
            return await cursor.fetchone()
    return None


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    """ASGI."""
    if scope["type"] == "lifespan":
        await receive()
        await AUTOCOMMIT.open()
        await WITHIN.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await AUTOCOMMIT.close()
        await WITHIN.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    path, body = scope["path"], b""
    if post := scope["method"] == "POST":
        body = (await receive())["body"]
    if path == "/livez":
        found: Any = {"at": time.time()}
    elif post:
        found = await (hold if path.endswith("reservations") else create)(path, body)
    else:
        found = await (list_ if path.endswith("products") else read)(path, body)
    content = json.dumps(found, default=str).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 201 if post else 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
