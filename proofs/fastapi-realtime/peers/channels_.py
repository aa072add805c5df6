"""Django Channels with its Redis layer (on Valkey), as its documentation advises: a group, `group_send` to it."""

import os

import django
import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

settings.configure(
    SECRET_KEY="a bench has none",
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["VALKEY_URL"].replace("valkey", "redis", 1)]},
        }
    },
)
django.setup()


class Room(AsyncWebsocketConsumer):
    """Anything that comes makes a message to all."""

    async def connect(self) -> None:
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send("room", {"type": "say", "text": os.environ["MESSAGE"]})

    async def say(self, event: dict[str, str]) -> None:
        """Hand it on."""
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws", Room.as_asgi())])})

uvicorn.run(
    application,
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    ws_per_message_deflate=False,
    log_level="error",
    backlog=4096,
)
