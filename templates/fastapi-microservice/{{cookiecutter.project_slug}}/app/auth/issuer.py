"""A small issuer for development: tokens of `python -m app token`, signed with a key that SECRET_KEY gives.

Whoever knows the secret makes the same tokens, in whatever process. In production nobody believes them.
"""

import hashlib
import time
from datetime import timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from pydantic import SecretStr

from app.settings import Settings

KEY_ID = "development"
SCOPES = ("stock:read", "stock:write")


def _private(secret: SecretStr) -> Ed25519PrivateKey:
    seed = hashlib.sha256(b"tokens for development" + secret.get_secret_value().encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def own_key(secret: SecretStr) -> jwt.PyJWK:
    """The public key, as it would stand in a JWK Set."""
    public = OKPAlgorithm.to_jwk(_private(secret).public_key(), as_dict=True)
    return jwt.PyJWK(public | {"kid": KEY_ID})


def issue(settings: Settings, subject: str, *, scope: str = " ".join(SCOPES), lasts: timedelta) -> str:
    """A token for a subject; one that lasts less than nothing has expired."""
    claims = {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "sub": subject,
        "scope": scope,
        "iat": int(time.time()),
        "exp": int(time.time() + lasts.total_seconds()),
    }
    return jwt.encode(claims, _private(settings.secret_key), "EdDSA", headers={"kid": KEY_ID})
