"""What is said about edits on a socket."""

import uuid
from typing import Literal

from app.live.schemas import FromClient, Seq
from app.messages.schemas import Body, ClientId


class Edit(FromClient):
    """My message number `target` says `body` now. To be sent again until the `ack`, like `publish`."""

    type: Literal["edit"]
    room: uuid.UUID
    client_id: ClientId
    target: Seq
    body: Body


class Delete(FromClient):
    """Take the message number `target` out: mine, or as an owner anybody's. Sent again like `publish`."""

    type: Literal["delete"]
    room: uuid.UUID
    client_id: ClientId
    target: Seq
