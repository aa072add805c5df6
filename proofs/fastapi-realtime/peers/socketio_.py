"""python-socketio, as its documentation advises for uvicorn: an ASGI application, a room, `emit` to it."""

import os

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[], compression_threshold=1_000_000)
application = socketio.ASGIApp(server)


@server.event
async def connect(sid: str, _environ: object) -> None:
    """Everybody is in the room."""
    await server.enter_room(sid, "room")


@server.on("go")
async def go(_sid: str, _data: object) -> None:
    """A message to all."""
    await server.emit("m", os.environ["MESSAGE"], room="room")


uvicorn.run(
    application,
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    ws_per_message_deflate=False,
    log_level="error",
    backlog=4096,
)
