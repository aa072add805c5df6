"""Streams: rooms by server-sent events, where sockets do not get through. The page falls back to them by itself."""

from pathlib import Path

from app.extras import Extra
from app.streams.routes import router

extra = Extra(router=router, static=Path(__file__).parent / "static")
