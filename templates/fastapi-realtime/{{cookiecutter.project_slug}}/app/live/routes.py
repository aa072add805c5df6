"""The socket: `/ws`."""

from typing import cast

from fastapi import APIRouter, WebSocket

from app.accounts.permissions import caller_or_nobody, signed_in
from app.live.connection import Connection
from app.live.hub import Hub
from app.problems import Problem
from app.state import AppState

router = APIRouter()


@router.websocket("/ws")
async def live(socket: WebSocket, state: AppState) -> None:
    """Rooms, live. Who is not signed in is refused before the handshake, with the problem as its answer."""
    try:
        caller = await signed_in(await caller_or_nobody(socket, state))
    except Problem as error:
        await socket.send_denial_response(error.response())
        return
    await socket.accept()
    hub = cast(Hub, socket.scope["state"]["hub"])
    await Connection(socket, caller, database=state["database"], broker=state["broker"], hub=hub).serve()
