"""What floor.py does, as ASGI."""

import json
import os
from typing import Any

from floor import asked
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

POOL: list[Any] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401  as ASGI has it
    """One loop, a pool of ten."""
    if scope["type"] == "lifespan":
        await receive()
        about = {"autocommit": True, "row_factory": dict_row}
        POOL.append(AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=10, max_size=10, kwargs=about, open=False))
        await POOL[0].open(wait=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await POOL[0].close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    if scope["method"] == "POST":
        body = (await receive())["body"]
    statement, values, status = asked(scope["method"], scope["path"], body)
    async with POOL[0].connection() as connection:
        rows = await (await connection.execute(statement, values)).fetchall()
    content = json.dumps(rows).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
