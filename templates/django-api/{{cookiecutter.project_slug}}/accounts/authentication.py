"""`Authorization: Bearer …` (RFC 6750)."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.callers import Caller
from accounts.tokens import InvalidToken
from config import extras


class Bearer(BaseAuthentication):
    """A token, or what an extra knows."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """Who asks; None for who does not say. Raises AuthenticationFailed for what is not to be believed."""
        scheme, _, said = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return extras.caller_of(said.strip()), None
        except InvalidToken as error:
            raise AuthenticationFailed from error

    def authenticate_header(self, request: Request) -> str:
        """What is told who is refused: whether it was for what they have shown."""
        scheme, _, _ = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return 'Bearer error="invalid_token"' if scheme.lower() == "bearer" else "Bearer"
