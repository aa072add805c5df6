"""`/events`: rooms, live, one way."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.streams.stream import OpenStream

router = APIRouter()


@router.get("/events", response_class=EventSourceResponse, tags=["live"])
async def events(stream: OpenStream) -> AsyncIterator[ServerSentEvent]:
    """The messages of the socket as server-sent events. To say something, use the messages."""
    async for event in stream.sent_events():
        yield event
