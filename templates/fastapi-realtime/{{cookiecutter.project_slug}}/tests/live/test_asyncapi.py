"""The protocol's document says what the code says, and what the server really sends is of it."""

import asyncio
import json
import uuid

import jsonschema
import yaml

from tests.conftest import Meet
from tests.live.asyncapi import FILE, document
from tests.live.fixtures import PATIENCE, Connect
from tests.live.test_following import room_id
from tests.rooms.test_rooms import make_room


def test_the_document_is_that_of_the_code() -> None:
    written = yaml.safe_load(FILE.read_text("utf-8"))
    assert written == document(), "make it anew: uv run --group test python -m tests.live.asyncapi"


async def test_what_is_sent_is_of_the_document(meet: Meet, online: Connect) -> None:
    schemas = json.loads(json.dumps(document()["components"]["schemas"]).replace("#/components/schemas/", "#/$defs/"))
    kinds = {
        schema["properties"]["type"]["const"]: name
        for name, schema in schemas.items()
        if "const" in schema.get("properties", {}).get("type", {})
    }
    ada = await meet("ada")
    room = room_id(await make_room(ada))
    seen: set[str] = set()
    async with online(ada) as client:
        new = {"room": room, "client_id": uuid.uuid4().hex}
        for message in (
            {"type": "subscribe", "room": room, "after": 99},
            {"type": "subscribe", "room": room, "after": 0},
            {"type": "publish", **new, "body": "hello"},
            {"type": "nonsense"},
            {"type": "ping"},
        ):
            await client.send(**message)
        async with asyncio.timeout(PATIENCE):
            while not {"subscribed", "reset", "event", "ack", "error", "pong"} <= seen:
                received = json.loads(await client.socket.recv())
                jsonschema.validate(received, {"$ref": f"#/$defs/{kinds[received['type']]}", "$defs": schemas})
                seen.add(received["type"])
