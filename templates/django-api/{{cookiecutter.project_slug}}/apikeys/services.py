"""Making keys, ending them, and knowing whose they are."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.callers import SCOPES, Caller, subject
from accounts.tokens import InvalidToken
from apikeys.models import APIKey
from audit.services import record

BEGIN = "stock_"
SHOWN = len(BEGIN) + 6  # characters; the others are secret


def digest(key: str) -> str:
    """What is kept of a key. It has 256 random bits, so that nobody can try them all: no salt, and nothing slow."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def issue(*, name: str, who: str, scopes: str, lasts: timedelta | None, by: str) -> tuple[APIKey, str]:
    """A new key, and its text, which nobody sees again. Raises ValueError for a subject or a scope that is none."""
    if not scopes.split() or {*scopes.split()} - {*SCOPES}:
        raise ValueError(f"the scopes are {' and '.join(SCOPES)}, one at the least")
    text = BEGIN + secrets.token_urlsafe(32)
    made = APIKey.objects.create(
        name=name,
        subject=subject(who),
        scopes=scopes,
        begins=text[:SHOWN],
        digest=digest(text),
        expires_at=timezone.now() + lasts if lasts else None,
    )
    record(by=by, action="issue key", about=f"key {made.pk}", subject=who, scopes=scopes)
    return made, text


@transaction.atomic
def revoke(*, key: APIKey, by: str) -> bool:
    """From now on it opens nothing; whether it did until now."""
    if not APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    record(by=by, action="revoke key", about=f"key {key.pk}")
    return True


def caller_of(text: str) -> Caller:
    """Whose key it is. Raises InvalidToken. Looked up each time: what is revoked is so at once."""
    key = APIKey.objects.filter(digest=digest(text)).first()
    if key is None or not key.good_at(timezone.now()):
        raise InvalidToken
    return Caller(key.subject, frozenset(key.scopes.split()), f"key {key.pk}")
