"""The client of the socket, for these tests too."""

from tests.live.conftest import online

__all__ = ["online"]
