"""Tokens (RFC 7519), made here and signed with the SECRET_KEY."""

import hashlib
import hmac
import time
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings

from accounts.callers import Caller, subject

# Not for the token to say: one that says `none` is none.
OURS = ["HS256"]
NEEDED = ["sub", "exp", "iss", "aud"]


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
    """Whose token of ours it is, and what they may do. Raises InvalidToken."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        with suppress(InvalidToken):  # perhaps it was signed with the secret before
            return believed(token, signing_key(secret), OURS)
    raise InvalidToken


def believed(token: str, key: Any, algorithms: list[str]) -> Caller:
    """Who is meant by a token that is signed with this key, in one of these ways. Raises InvalidToken."""
    caller, until = read(token, key, tuple(algorithms), settings.TOKEN_ISSUER, settings.TOKEN_AUDIENCE)
    if until <= time.time():
        raise InvalidToken
    return caller


@lru_cache(maxsize=10_000)  # a signature that was good stays good; the end is looked at each time
def read(token: str, key: Any, algorithms: tuple[str, ...], issuer: str, audience: str) -> tuple[Caller, float]:
    """What a token says, and until when. Raises InvalidToken, which is not remembered."""
    options: Any = {"require": NEEDED}
    try:
        claims = jwt.decode(token, key, algorithms=algorithms, issuer=issuer, audience=audience, options=options)
        who, scopes, until = subject(claims["sub"]), claims.get("scope", ""), float(claims["exp"])
    except (jwt.PyJWTError, OverflowError, TypeError, ValueError) as error:
        raise InvalidToken from error
    return Caller(who, frozenset(scopes.split()) if isinstance(scopes, str) else frozenset()), until
