"""Tokens (RFC 7519): made here and signed with the SECRET_KEY, or made elsewhere and believed by JWKS_URL's keys."""

import hashlib
import hmac
import logging
import time
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Any

import jwt
from django.conf import settings

from accounts.callers import Caller, subject
from config.problems import Refused

logger = logging.getLogger(__name__)
OURS = ["HS256"]
# What others may sign with. No HS256: nobody is to sign with a key that is public as if it were a secret.
THEIRS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
NEEDED = ["sub", "exp", "iss", "aud"]
ASK_AGAIN = 30.0  # seconds; a token with an unknown key makes us ask for the keys, but not each of them


class InvalidToken(Exception):  # noqa: N818  as RFC 6750 calls it
    """Expired, altered, not signed, not for us."""


def signing_key(secret: str) -> bytes:
    """What tokens are signed with: made of the SECRET_KEY, and no use for anything else."""
    return hmac.digest(secret.encode(), b"accounts.tokens", hashlib.sha256)


def issue(who: str, *, scopes: str, lasts: timedelta) -> str:
    """A token. Raises ValueError for somebody who cannot be."""
    now = int(time.time())
    claims = {
        "iss": settings.TOKEN_ISSUER,
        "aud": settings.TOKEN_AUDIENCE,
        "sub": subject(who),
        "scope": scopes,
        "iat": now,
        "exp": now + int(lasts.total_seconds()),
    }
    return jwt.encode(claims, signing_key(settings.SECRET_KEY), algorithm=OURS[0])


def caller_of(token: str) -> Caller:
    """Whose token it is, and what they may do. Raises InvalidToken."""
    try:
        claims = claims_of(token)
        who, scopes = subject(claims["sub"]), claims.get("scope", "")
    except (jwt.InvalidTokenError, ValueError) as error:
        raise InvalidToken from error
    return Caller(who, frozenset(scopes.split()) if isinstance(scopes, str) else frozenset())


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, when it is to be believed."""
    if settings.JWKS_URL:
        return decoded(token, keys(settings.JWKS_URL).key_of(token), THEIRS)
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    for secret in secrets[:-1]:
        try:
            return decoded(token, signing_key(secret), OURS)
        except jwt.InvalidSignatureError:
            continue
    return decoded(token, signing_key(secrets[-1]), OURS)


def decoded(token: str, key: Any, algorithms: list[str]) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=algorithms,
        audience=settings.TOKEN_AUDIENCE,
        issuer=settings.TOKEN_ISSUER,
        options={"require": NEEDED},
    )


class Keys:
    """The public keys of an issuer, asked for when a token names one that is not known yet."""

    def __init__(self, url: str) -> None:
        self.client = jwt.PyJWKClient(url, cache_keys=False, lifespan=3600, timeout=5)
        self.asked, self.lock = float("-inf"), Lock()

    def key_of(self, token: str) -> Any:
        """The key that a token says it is signed with. Raises InvalidToken when the issuer has no such key."""
        name = jwt.get_unverified_header(token).get("kid")
        try:
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
        except jwt.PyJWKClientError as error:  # not one key in it that could be used
            raise InvalidToken from error
        if found is None:
            raise InvalidToken
        return found

    def found(self, name: object) -> Any:
        return next((each.key for each in self.client.get_signing_keys() if each.key_id == name), None)


@cache
def keys(url: str) -> Keys:
    return Keys(url)
