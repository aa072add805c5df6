"""Tokens that somebody else makes, by OAuth 2.0 or OpenID Connect: believed by the keys of JWKS_URL (RFC 7517)."""

import logging
import time
from functools import cache
from threading import Lock
from typing import Any

import jwt
from django.conf import settings

from accounts import tokens
from accounts.callers import Caller
from accounts.tokens import InvalidToken
from config.problems import Refused

logger = logging.getLogger(__name__)
# No HS256: nobody is to sign with a key that is public as if it were a secret.
THEIRS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ASK_AGAIN = 30.0  # seconds; a token with an unknown key makes us ask for the keys, but not each of them


def caller_of(token: str) -> Caller:
    """Whose token it is. Without JWKS_URL those that we make are believed. Raises InvalidToken."""
    if not settings.JWKS_URL:
        return tokens.caller_of(token)
    return tokens.believed(token, keys(settings.JWKS_URL).key_of(token), THEIRS)


class Keys:
    """The public keys of an issuer, asked for when a token names one that is not known yet."""

    def __init__(self, url: str) -> None:
        self.client = jwt.PyJWKClient(url, cache_keys=False, lifespan=3600, timeout=5)
        self.asked, self.lock = float("-inf"), Lock()

    def key_of(self, token: str) -> Any:
        """The key that a token says it is signed with. Raises InvalidToken when there is no such key."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            # Of many at once one asks, and the others find what it has found.
            with self.lock:
                found = self.found(name)
                if found is None and time.monotonic() - self.asked > ASK_AGAIN:
                    self.asked = time.monotonic()
                    self.client.fetch_data()
                    found = self.found(name)
        except jwt.PyJWKClientConnectionError as error:
            logger.warning("JWKS_URL does not answer: %s", error)
            raise Refused(503, headers={"Retry-After": "5"}) from error
        except (jwt.PyJWKClientError, jwt.InvalidTokenError) as error:  # there is no key in it, or no name in this
            raise InvalidToken from error
        if found is None:
            raise InvalidToken
        return found

    def found(self, name: object) -> Any:
        return next((each.key for each in self.client.get_signing_keys() if each.key_id == name), None)


@cache
def keys(url: str) -> Keys:
    return Keys(url)
