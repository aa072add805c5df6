"""Who asks, by a token (RFC 7519, RFC 9068) that somebody signed whose public keys we read (RFC 7517).

A key says what it signs with. Only algorithms with a private key are believed, so that `none`, and a public key passed
off as a shared secret, come to nothing.
"""

import re
import time
from dataclasses import dataclass

import jwt

from app.auth.errors import Forbidden, Unauthorized
from app.auth.issuer import own_key
from app.auth.keys import Keys
from app.settings import Settings

ALGORITHMS = ["EdDSA", "ES256", "RS256"]
MOST_REMEMBERED = 10_000
SUBJECT = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Caller:
    """The subject of a token, and what it may do."""

    name: str
    scopes: frozenset[str]
    until: float  # Unix time

    def must_have(self, scope: str) -> None:
        """Raises Forbidden without the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"Ask for a token with the scope {scope}.", scope=scope)


class Tokens:
    """Tells callers by their tokens. A signature is checked once: to do so costs as much as a question."""

    def __init__(self, settings: Settings) -> None:
        own = None if settings.production else own_key(settings.secret_key)
        self._keys = Keys(settings.jwks_url, own)
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._known: dict[str, Caller] = {}
        self._known_by = self._keys.generation

    async def caller(self, authorization: str | None) -> Caller:
        """Who shows this. Raises Unauthorized."""
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthorized("Send `Authorization: Bearer` and a token.")
        self._keys.refresh()
        if self._known_by != self._keys.generation or len(self._known) > MOST_REMEMBERED:
            self._known, self._known_by = {}, self._keys.generation
        caller = self._known.get(token)
        if caller is None:
            self._known[token] = caller = await self._check(token)
        if caller.until <= time.time():
            self._known.pop(token, None)
            raise Unauthorized("The token has expired.", error="invalid_token")
        return caller

    async def _check(self, token: str) -> Caller:
        try:
            key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            until = float(claims["exp"])
        except (jwt.PyJWTError, OverflowError) as error:  # RFC 8259 has numbers of any size
            raise Unauthorized("The token is not good.", error="invalid_token") from error
        name, scopes = claims["sub"], claims.get("scope", "")
        if not SUBJECT.fullmatch(name) or not isinstance(scopes, str):
            raise Unauthorized("The token is not good.", error="invalid_token")
        return Caller(name, frozenset(scopes.split()), until)
