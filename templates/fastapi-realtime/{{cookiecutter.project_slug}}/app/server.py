"""uvicorn's protocols, with two things added: connections are told when the process ends, and sockets take bytes.

Both are classes that uvicorn is given by name, so that they work in each of its workers.
"""

from typing import Any, cast

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket as WebSocketConnection
from starlette.websockets import WebSocketState
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

GRACE = 10  # seconds, for what is still to be sent to a connection that has ended


class Http(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Tells the application once no new connection is let in, so that streams come to their end."""

    app_state: dict[str, Any]

    def shutdown(self) -> None:
        drain(self.app_state)
        super().shutdown()


class WebSocket(WebSocketsSansIOProtocol):
    """Leaves it to the application to close with 1012, after it has sent what is due.

    In the scope's extensions it offers `push`: to write a frame that is encoded already, once for thousands of sockets.
    Whoever takes that up may leave `rest` there, which goes on after the handshake with the bare connection.
    """

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope)["extensions"]["push"] = self.push
            self.app = self.handshake_then_rest

    async def handshake_then_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and after it what it has left in the scope's extensions as `rest`.

        So a socket that is open for hours does not hold two dozen stack frames of middleware, which are done with it
        once the handshake is over.
        """
        await self.config.loaded_app(scope, receive, send)
        if rest := scope["extensions"].pop("rest", None):
            bare = WebSocketConnection(scope, receive, send)
            bare.client_state = bare.application_state = WebSocketState.CONNECTED
            try:
                await rest(bare)
            finally:
                self.loop.call_later(GRACE, self.transport.abort)  # a peer that reads nothing keeps its buffer else

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(GRACE, self.transport.abort)

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # no pong for who does not read: pongs would pile up

    def push(self, frame: bytes) -> bool:
        """Write the frame if that can be done at once. False when the peer does not keep up, or is about to go."""
        if not self.writable.is_set() or self.close_sent or self.conn.state is not State.OPEN:
            return False
        self.transport.write(frame)
        return True

    def shutdown(self) -> None:
        drain(self.app_state)
        # An open socket is closed by the application.
        if not self.handshake_complete or self.close_sent or self.disconnected:
            super().shutdown()


def drain(state: dict[str, Any]) -> None:
    """Let the application end what is open."""
    if "hub" in state:
        state["hub"].drain()
