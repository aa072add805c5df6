"""Tokens that somebody else makes, by OAuth 2.0 or OpenID Connect: believed by the keys of JWKS_URL (RFC 7517)."""

import logging
import time
from functools import cache
from threading import Lock

import jwt
from django.conf import settings

from accounts import tokens
from accounts.callers import Caller
from accounts.tokens import InvalidToken
from config.problems import Refused

logger = logging.getLogger(__name__)
# No HS256: nobody is to sign with a key that is public as if it were a secret.
THEIRS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
OLD = 3600.0  # seconds; then the keys are asked for again
ASK_AGAIN = 30.0  # seconds; a token with an unknown key makes us ask for the keys, but not each of them
TRY_AGAIN = 5.0  # seconds; where there was no answer
PATIENCE = 5.0  # seconds for an answer


def caller_of(token: str) -> Caller:
    """Whose token it is. Without JWKS_URL those that we make are believed. Raises InvalidToken."""
    if not settings.JWKS_URL:
        return tokens.caller_of(token)
    key = keys(settings.JWKS_URL).key_of(token)
    # By the algorithm of the key: the token has no say in it.
    return tokens.believed(token, key, [key.algorithm_name])


class Keys:
    """The public keys of an issuer. Old ones are good until there are new ones: an issuer may be away for a while."""

    def __init__(self, url: str) -> None:
        self.client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=PATIENCE)
        self.known: dict[str, jwt.PyJWK] = {}
        self.asked = self.answered = float("-inf")
        self.asking = Lock()

    def key_of(self, token: str) -> jwt.PyJWK:
        """The key that a token says it is signed with. Raises InvalidToken when there is no such key."""
        try:
            name = str(jwt.get_unverified_header(token)["kid"])
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise InvalidToken from error
        if name not in self.known or time.monotonic() - self.answered > OLD:
            self.renew()
        if found := self.known.get(name):
            return found
        if self.answered < self.asked:
            raise Refused(503, headers={"Retry-After": "5"})
        raise InvalidToken

    def renew(self) -> None:
        """Ask for them, if that was not done just now. One does; the others wait only as long as there are none."""
        if not self.asking.acquire(timeout=-1 if not self.known else 0):
            return
        try:
            now, pause = time.monotonic(), ASK_AGAIN if self.answered >= self.asked else TRY_AGAIN
            if now - self.asked > pause:
                self.asked = now
                self.known = self.found()
                self.answered = time.monotonic()
        except (jwt.PyJWTError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            logger.warning("JWKS_URL gives no keys: %s", error)
        finally:
            self.asking.release()

    def found(self) -> dict[str, jwt.PyJWK]:
        """What the issuer says. Raises whatever is wrong with it."""
        said = jwt.PyJWKSet.from_dict(self.client.fetch_data()).keys
        return {
            str(key.key_id): key
            for key in said
            if key.key_id and key.public_key_use in ("sig", None) and key.algorithm_name in THEIRS
        }


@cache
def keys(url: str) -> Keys:
    return Keys(url)
