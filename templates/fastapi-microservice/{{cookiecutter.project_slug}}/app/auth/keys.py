"""The public keys of those who make tokens: read from JWKS_URL, kept, and read again when they change."""

import asyncio
import logging
import time
from typing import Any

import jwt

from app.errors import Unavailable

logger = logging.getLogger(__name__)

FRESH_FOR = 600.0  # seconds; a key that its issuer takes back is believed for so long, and a request more
BELIEVED_FOR = 24 * 60 * 60.0  # seconds, while the issuer does not answer
PAUSE = 10.0  # seconds between two attempts: tokens with invented key ids must not make us ask for each
PATIENCE = 3.0


class Keys:
    """Keys by their ids. `generation` goes up when they change."""

    def __init__(self, url: str | None, own: jwt.PyJWK | None) -> None:
        self._url = url
        self._keys = {own.key_id: own} if own and own.key_id and not url else {}
        self._read_at = self._tried_at = -PAUSE - FRESH_FOR
        self._one = asyncio.Lock()
        self._behind: asyncio.Task[None] | None = None
        self.generation = 0

    async def find(self, key_id: object) -> jwt.PyJWK:
        """The key of this id. Raises InvalidKeyError when its issuer has none, Unavailable when nobody could ask."""
        if key_id not in self._keys:
            await self._read()
        if not self._keys:
            raise Unavailable("The keys of the issuer cannot be read.")
        if not isinstance(key_id, str) or key_id not in self._keys:
            raise jwt.InvalidKeyError
        return self._keys[key_id]

    def refresh(self) -> None:
        """Read the keys when those that we have are old: beside the requests, of which none waits for the issuer."""
        age, resting = time.monotonic() - self._read_at, time.monotonic() - self._tried_at < PAUSE
        if self._url is None or not self._keys or age <= FRESH_FOR:
            return
        if age > BELIEVED_FOR:
            self._keys, self.generation = {}, self.generation + 1
        elif not resting and (self._behind is None or self._behind.done()):
            self._behind = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with self._one:
            if self._url is None or time.monotonic() - self._tried_at < PAUSE:
                return
            self._tried_at = time.monotonic()
            try:
                keys = await fetch(self._url)
            except Exception as error:  # whatever it is, the keys that we have go on being good
                logger.warning("The keys of the issuer cannot be read: %s", type(error).__name__)
                return
            self._read_at = time.monotonic()
            if keys.keys() != self._keys.keys() or any(keys[each].key != self._keys[each].key for each in keys):
                self._keys, self.generation = keys, self.generation + 1


async def fetch(url: str) -> dict[str, jwt.PyJWK]:
    """The signing keys of a JWK Set by their ids; shared secrets are none. Raises what goes wrong."""
    import httpx2  # noqa: PLC0415  not needed where keys are our own

    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(timeout=PATIENCE) as client:
        answer = (await client.get(url)).raise_for_status().json()
    found: list[dict[str, Any]] = [each for each in answer["keys"] if each.get("kty") in ("RSA", "EC", "OKP")]
    usable: dict[str, jwt.PyJWK] = {}
    for each in found:
        if "kid" in each and each.get("use", "sig") == "sig":
            try:
                usable[each["kid"]] = jwt.PyJWK(each)
            except (jwt.PyJWTError, ValueError, TypeError) as error:  # one that we do not know harms no other
                logger.warning("A key of the issuer cannot be used: %s", type(error).__name__)
    return usable
