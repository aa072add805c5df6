"""uvicorn's protocols, with two things added: connections are told when the process ends, and sockets take bytes.

Both are classes that uvicorn is given by name, so that they work in each of its workers.
"""

from typing import Any, Protocol, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State


class Drains(Protocol):
    """What ends open connections in good order; `drain` in the lifespan's state."""

    def drain(self) -> None: ...


class Http(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Tells the application once no new connection is let in, so that streams come to their end."""

    app_state: dict[str, Any]

    def shutdown(self) -> None:
        drain(self.app_state)
        super().shutdown()


class WebSocket(WebSocketsSansIOProtocol):
    """Leaves it to the application to close with 1012, after it has sent what is due.

    In the scope's extensions it offers `push`: to write a frame that is encoded already, once for thousands of sockets.
    """

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope)["extensions"]["push"] = self.push

    def push(self, frame: bytes) -> bool:
        """Write the frame if that can be done at once. False when the peer does not keep up, or is about to go."""
        if not self.writable.is_set() or self.close_sent or self.conn.state is not State.OPEN:
            return False
        self.transport.write(frame)
        return True

    def shutdown(self) -> None:
        if self.handle_is_open() and drain(self.app_state):
            return
        super().shutdown()

    def handle_is_open(self) -> bool:
        """Whether the application has a socket that it can close."""
        return self.handshake_complete and not self.close_sent and not self.disconnected


def drain(state: dict[str, Any]) -> bool:
    """Let the application end what is open. False when it has nothing that could."""
    hub = cast(Drains | None, state.get("hub"))
    if hub is not None:
        hub.drain()
    return hub is not None
