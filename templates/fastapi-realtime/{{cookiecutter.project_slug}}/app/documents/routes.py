"""`/documents/{room_id}`: the shared document of a room, for clients of `y-websocket`."""

import uuid

from fastapi import APIRouter, WebSocket

from app.accounts.permissions import caller_or_nobody, signed_in
from app.documents.editor import Editor
from app.documents.shared import Documents
from app.problems import Problem
from app.rooms.services import get_room
from app.state import AppState

router = APIRouter()


@router.websocket("/documents/{room_id}")
async def edit(socket: WebSocket, room_id: uuid.UUID, state: AppState) -> None:
    """Edit together. Who may not is refused before the handshake."""
    database, hub = state["database"], state["hub"]
    documents: Documents = state["extras"]["documents"]
    try:
        caller = await signed_in(await caller_or_nobody(socket, state))
        room = (await get_room(database, room_id=room_id, user_id=caller.user_id)).room
        editor = Editor(caller, room_id, documents, hub)
        hub.connect(editor)
    except Problem as error:
        await socket.send_denial_response(error.response())
        return
    hub.follow(editor, room_id, room.seq)
    await editor.accept(socket)
