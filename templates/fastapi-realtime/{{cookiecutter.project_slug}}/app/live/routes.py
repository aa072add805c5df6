"""The socket: `/ws`."""

from fastapi import APIRouter, WebSocket

from app.accounts.permissions import caller_or_nobody, signed_in
from app.live.socket import Socket
from app.problems import Problem
from app.state import AppState

router = APIRouter()


@router.websocket("/ws")
async def live(socket: WebSocket, state: AppState) -> None:
    """Rooms, live. Who may not is refused before the handshake, with the problem as its answer."""
    hub = state["hub"]
    try:
        caller = await signed_in(await caller_or_nobody(socket, state))
        hub.connect(opened := Socket(caller, hub))
    except Problem as error:
        await socket.send_denial_response(error.response())
        return
    await opened.accept(socket)
